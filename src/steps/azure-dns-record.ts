import { z } from 'zod'
import { durationMs, isPending, LifeboatError, resourceId, type Change, type Finding, type PlanInputs } from '../contract/index.js'
import type { RecordSet } from '../platform/azure/door.js'
import type { Platform } from '../platform/platform.js'
import { actionsFor, lockFindings, rightsFindings, together } from './parts/readiness.js'
import { claim, defineStep, groupClaim, groupOf, inverted, known, minutes, seconds } from './step.js'

const inputs = z.strictObject({
  zone: resourceId,
  name: z.string().min(1),
  type: z.enum(['A', 'CNAME', 'TXT']),
  ttl: durationMs.refine((ms) => ms >= seconds && ms % seconds === 0, 'a TTL is whole seconds, at least one'),
  values: z.array(z.string()).min(1),
})

/** Undefined: there is no record yet. */
interface Seen {
  readonly ttlSeconds: number
  readonly values: readonly string[]
}

type Inputs = z.infer<typeof inputs>
type Place = Pick<Inputs, 'zone' | 'name' | 'type'>

/**
 * A record set. Done when the zone's own name servers answer with it: a resolver's cache proves nothing. Written with the
 * etag that was read, so that two writers cannot overwrite each other.
 */
export const dnsRecord = defineStep({
  uses: 'azure/dns-record',
  summary: 'A DNS record, as the zone’s own name servers give it',
  inputs,
  outputs: z.object({ fqdn: z.string(), values: z.array(z.string()) }),
  identity: ['zone', 'name', 'type'],
  verification: () => ({ everyMs: 5 * seconds, withinMs: 15 * minutes }),
  preflight: (changes, wanted, { doors }) => {
    const actions = actionsFor(changes, { record: `Microsoft.Network/dnszones/${String(wanted.type)}` })
    const rights = rightsFindings(doors, [{ scope: wanted.zone, actions }])
    return together(zoneFindings(wanted, doors), rights, lockFindings(doors, wanted.zone, changes))
  },
  async observe(wanted, { doors }) {
    const { zone, name, type, values, ttl } = wanted
    const found = await doors.azure.zones.getRecord(zone, name, type)
    if (found === undefined) return { state: 'absent' }
    const fqdn = fqdnOf(wanted)
    if (found.target !== undefined) {
      return { state: 'conflict', why: `${fqdn} follows the resource ${found.target}`, mend: 'Make it a record with values of its own first, or leave it out of the runbook.' }
    }
    const seen = { ttlSeconds: found.ttlSeconds, values: found.values }
    if (isPending(values) || isPending(ttl) || found.ttlSeconds !== ttl / seconds || !same(type, found.values, values)) {
      return { state: 'drifted', seen }
    }
    const servers = (await doors.azure.zones.nameServers(zone)) ?? []
    if (servers.length === 0) return { state: 'unknown', why: `the zone ${zoneName(zone)} names no name servers that could be asked` }
    const behind = await laggards(servers, wanted, { values, ttlSeconds: ttl / seconds }, doors)
    if (behind.length > 0) return { state: 'in-flight', what: `${fqdn}: ${behind.join(', ')} still ${behind.length === 1 ? 'gives' : 'give'} the old answer` }
    return { state: 'converged', outputs: { fqdn, values: [...found.values] } }
  },
  plan: ({ zone, name, type, ttl, values }, seen: { state: 'absent' } | { state: 'drifted'; seen: Seen }): Change[] => {
    const after = { values: isPending(values) ? values : [...values].sort(), ttlSeconds: isPending(ttl) ? ttl : ttl / seconds }
    const resource = `record ${String(type)} ${String(name)}.${zoneName(String(zone))}`
    if (seen.state === 'absent') return [{ resource, action: 'create', after }]
    return [{ resource, action: 'update', before: { values: seen.seen.values, ttlSeconds: seen.seen.ttlSeconds }, after }]
  },
  async apply(changes, wanted, { doors }) {
    for (const change of changes) {
      const found = await doors.azure.zones.getRecord(wanted.zone, wanted.name, wanted.type)
      if (change.action === 'delete') {
        if (found !== undefined) await doors.azure.zones.deleteRecord(wanted.zone, wanted.name, wanted.type, found.etag)
        continue
      }
      assertAsPlanned(change, found)
      const { values, ttlSeconds } = change.after as unknown as Seen
      const rest = found?.metadata === undefined ? {} : { metadata: found.metadata }
      await doors.azure.zones.putRecord(wanted.zone, { ...rest, name: wanted.name, type: wanted.type, ttlSeconds, values }, found?.etag)
    }
  },
  invert: (changes) => changes.map(inverted),
  claims: ({ zone, name }) => [claim('record', `${known(zone)}/${known(name)}`), ...(isPending(zone) ? [] : [groupClaim(groupOf(zone))])],
  estimateMs: () => 20 * seconds,
})

async function zoneFindings({ zone }: PlanInputs<Inputs>, { azure }: Platform): Promise<Finding[]> {
  if (isPending(zone) || (await azure.zones.nameServers(zone)) !== undefined) return []
  return [{ level: 'stop', what: `there is no DNS zone ${zone}`, mend: 'Look at `az network dns zone list`, and at the subscription of the runbook.' }]
}

/** The etag guards what is read now; that it is still what the plan saw is told by its values. */
function assertAsPlanned({ resource, before }: Change, found: RecordSet | undefined): void {
  const planned = before as Seen | undefined
  if (JSON.stringify(planned?.values) === JSON.stringify(found?.values)) return
  throw new LifeboatError('dns.changed', `${resource} was changed by somebody else since it was looked at`, { retry: {} })
}

/** Name servers that do not give the wanted answer yet. They tell the TTL of addresses only. */
async function laggards(servers: readonly string[], place: Place, wanted: Seen, { dns }: Platform): Promise<string[]> {
  const answers = await Promise.all(servers.map((server) => dns.ask(server, fqdnOf(place), place.type)))
  return servers.filter((_, index) => {
    const answer = answers[index]
    if (answer === undefined || !same(place.type, answer.values, wanted.values)) return true
    return place.type === 'A' && answer.ttlSeconds !== wanted.ttlSeconds
  })
}

/** Sets of values; names are compared as DNS does, without regard to case and with or without the last dot. */
function same(type: Place['type'], a: readonly string[], b: readonly string[]): boolean {
  const plain = (values: readonly string[]): string[] =>
    values.map((value) => (type === 'CNAME' ? value.toLowerCase().replace(/\.$/, '') : value)).sort()
  return JSON.stringify(plain(a)) === JSON.stringify(plain(b))
}

function fqdnOf({ zone, name }: Place): string {
  return name === '@' ? zoneName(zone) : `${name}.${zoneName(zone)}`
}

function zoneName(zone: string): string {
  return zone.split('/').at(-1) ?? zone
}
