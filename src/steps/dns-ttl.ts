import { z } from 'zod'
import { isPending, LifeboatError, type Change } from '../contract/index.js'
import { resourceId } from '../contract/inputs.js'
import type { RecordSet } from '../platform/azure/door.js'
import type { Platform } from '../platform/platform.js'
import { askServer, fqdnOf, recordLabel, recordPath, recordType, ttlMs, zoneFindings, type RecordPlace } from './parts/dns.js'
import { naming } from './parts/naming.js'
import { lockFindings, rightsFindings, together } from './parts/readiness.js'
import { claim, defineStep, groupClaim, groupOf, inverted, known, minutes, seconds } from './step.js'

const inputs = z.strictObject({
  zone: resourceId,
  records: z.array(z.strictObject({ name: z.string().min(1), type: recordType.default('A') })).min(1),
  /** What it is lowered to. A record set whose TTL is lower already is left alone. */
  ttl: ttlMs,
})
type Named = z.infer<typeof inputs>['records'][number]

interface Ttl {
  readonly ttlSeconds: number
}

interface Seen {
  /** TTLs now, by label, of the record sets whose own is too long. */
  readonly long: Readonly<Record<string, number>>
  /** Labels of those that are not there. */
  readonly absent?: readonly string[]
}

/**
 * Shorter TTLs, hours or minutes before the addresses change: what users see of a swap is the swap plus the TTL that was in
 * force before (facts/azure). Nothing but the TTL is written, so that it harms nobody and stands beside `azure/dns-record`,
 * which sets values and nothing else. A record set that is not there has no TTL to lower.
 */
export const dnsTtl = defineStep({
  uses: 'dns/ttl',
  summary: 'The TTL of DNS records, lowered ahead of a change of their values',
  inputs,
  outputs: z.object({
    records: z.array(z.object({ fqdn: z.string(), ttlSeconds: z.number() })),
    /** Record sets that are not there. */
    absent: z.array(z.string()).optional(),
  }),
  identity: ['zone', 'records', 'ttl'],
  verification: () => ({ everyMs: 5 * seconds, withinMs: 15 * minutes }),
  preflight: (changes, { zone }, { doors }) => {
    const types = new Set(changes.map(({ resource }) => resource.split(' ')[1] ?? ''))
    const actions = [...types].map((type) => `Microsoft.Network/dnszones/${type}/write`)
    return together(zoneFindings(zone, doors), rightsFindings(doors, [{ scope: zone, actions }]), lockFindings(doors, zone, changes))
  },
  async observe({ zone, records, ttl }, { doors }) {
    const found = await Promise.all(
      records.map(async (record) => {
        return { place: { zone, ...record }, set: await doors.azure.zones.getRecord(zone, record.name, record.type) }
      }),
    )
    const there = found.flatMap(({ place, set }) => (set === undefined ? [] : [{ place, set }]))
    const gone = found.flatMap(({ place, set }) => (set === undefined ? [recordLabel(place)] : []))
    const absent = gone.length === 0 ? {} : { absent: gone }
    const alias = there.find(({ set }) => set.target !== undefined)
    if (alias !== undefined) {
      return { state: 'conflict', why: `${fqdnOf(alias.place)} follows the resource ${alias.set.target ?? ''}`, mend: 'Leave it out of the runbook: its answer changes with that resource.' }
    }
    const long = there.filter(({ set }) => set.ttlSeconds > ttl / seconds)
    if (long.length > 0) {
      return { state: 'drifted', seen: { long: Object.fromEntries(long.map(({ place, set }) => [recordLabel(place), set.ttlSeconds])), ...absent } }
    }
    const behind = await placesBehind(there.map(({ place }) => place), ttl / seconds, doors)
    if (behind[0] !== undefined) {
      // The way back waits for no name server.
      return { state: 'in-flight', what: `name servers still give ${behind.map(fqdnOf).join(', ')} with the old TTL`, halfMade: recordLabel(behind[0]) }
    }
    return { state: 'converged', outputs: { ...absent, records: there.map(({ place, set }) => ({ fqdn: fqdnOf(place), ttlSeconds: set.ttlSeconds })) } }
  },
  plan({ zone, records, ttl }, seen: { state: 'absent' } | { state: 'drifted'; seen: Seen }): Change[] {
    const after = { ttlSeconds: isPending(ttl) ? ttl : ttl / seconds }
    const place = naming(zone, 'zone')
    return naming(records, 'records').flatMap((record): Change[] => {
      const resource = recordLabel({ zone: place, ...record })
      if (seen.state === 'absent') return [{ resource, action: 'update', after }]
      const ttlSeconds = seen.seen.long[resource]
      return ttlSeconds === undefined ? [] : [{ resource, action: 'update', before: { ttlSeconds }, after }]
    })
  },
  async apply(changes, { zone, records }, { doors }) {
    for (const change of changes) {
      const record = records.find((one) => recordLabel({ zone, ...one }) === change.resource)
      if (record !== undefined) await setTtl(change, zone, record, doors)
    }
  },
  invert: (changes) => changes.map(inverted),
  isBack({ resource }, _now, _forward, found) {
    const { absent = [] } = (found ?? {}) as Partial<Seen>
    // What is gone has no TTL to be put back.
    return absent.includes(resource) ? true : undefined
  },
  writes: (changes, { zone, records }) =>
    naming(records, 'records')
      .filter((record) => changes.some(({ resource }) => resource === recordLabel({ zone: naming(zone, 'zone'), ...record })))
      .map((record) => ({ method: 'PATCH', path: recordPath({ zone, ...record }) })),
  claims: ({ zone, records }) => [
    ...(isPending(records) ? [] : records.map(({ name }) => claim('record', `${known(zone)}/${name}`))),
    ...(isPending(zone) ? [] : [groupClaim(groupOf(zone))]),
  ],
  estimateMs: () => 20 * seconds,
})

/**
 * The etag guards what is read now; that its TTL is still what the plan saw is looked at here. On the way back one that somebody has set
 * shorter still is put back too, and a record set that is gone needs nothing.
 */
async function setTtl(change: Change, zone: string, { name, type }: Named, { azure }: Platform): Promise<void> {
  const found: RecordSet | undefined = await azure.zones.getRecord(zone, name, type)
  const [before, after] = [change.before, change.after] as unknown as readonly [Ttl, Ttl]
  const raises = after.ttlSeconds > before.ttlSeconds
  if (found === undefined && raises) return
  const isAsPlanned = found !== undefined && (found.ttlSeconds === before.ttlSeconds || (raises && found.ttlSeconds < before.ttlSeconds))
  if (!isAsPlanned) {
    throw new LifeboatError('dns.changed', `the TTL of ${fqdnOf({ zone, name })} was changed by somebody else since it was looked at`, { retry: {} })
  }
  await azure.zones.setTtl(zone, name, type, after.ttlSeconds, found.etag)
}

/**
 * What a name server of the zone still gives with a longer TTL. A name server that cannot be asked from here does not
 * hold up a failover: this step only prepares one. Resolvers tell the TTL of addresses alone.
 */
async function placesBehind(places: readonly RecordPlace[], ttlSeconds: number, { azure, dns }: Platform): Promise<RecordPlace[]> {
  const addresses = places.filter(({ type }) => type === 'A')
  const servers = addresses[0] === undefined ? [] : ((await azure.zones.nameServers(addresses[0].zone)) ?? [])
  const late = await Promise.all(
    addresses.map(async (place) => {
      const told = await Promise.all(servers.map((server) => askServer(server, place, { dns })))
      return told.some(({ answer }) => answer !== undefined && answer.ttlSeconds > ttlSeconds)
    }),
  )
  return addresses.filter((_, index) => late[index])
}
