import { z } from 'zod'
import { durationMs, isPending, LifeboatError, resourceId, type Change } from '../contract/index.js'
import type { RecordSet } from '../platform/azure/door.js'
import type { Platform } from '../platform/platform.js'
import { claim, defineStep, inverted, known, minutes, seconds } from './step.js'

const inputs = z.strictObject({
  zone: resourceId,
  name: z.string().min(1),
  type: z.enum(['A', 'CNAME', 'TXT']),
  ttl: durationMs,
  values: z.array(z.string()).min(1),
})

/** Undefined: there is no record yet. */
interface Seen {
  readonly ttlSeconds: number
  readonly values: readonly string[]
}

type Place = Pick<z.infer<typeof inputs>, 'zone' | 'name' | 'type'>

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
  preflight: async (_changes, { zone }, { doors }) => {
    if (isPending(zone) || (await doors.azure.zones.nameServers(zone)) !== undefined) return []
    return [{ level: 'stop', what: `there is no DNS zone ${zone}`, mend: 'Look at `az network dns zone list`, and at the subscription of the runbook.' }]
  },
  async observe(wanted, { doors }) {
    const found = await doors.azure.zones.getRecord(wanted.zone, wanted.name, wanted.type)
    if (found === undefined) return { state: 'absent' }
    const seen = { ttlSeconds: found.ttlSeconds, values: found.values }
    if (isPending(wanted.values) || isPending(wanted.ttl) || !matches(found, wanted.values, wanted.ttl)) return { state: 'drifted', seen }
    const fqdn = fqdnOf(wanted)
    const behind = await laggards(wanted, wanted.values, doors)
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
      await doors.azure.zones.putRecord(wanted.zone, { name: wanted.name, type: wanted.type, ttlSeconds, values }, found?.etag)
    }
  },
  invert: (changes) => changes.map(inverted),
  claims: ({ zone, name }) => [claim('record', `${known(zone)}/${known(name)}`)],
  estimateMs: () => 20 * seconds,
})

/** The etag guards what is read now; that it is still what the plan saw is told by its values. */
function assertAsPlanned({ resource, before }: Change, found: RecordSet | undefined): void {
  const planned = before as Seen | undefined
  if (JSON.stringify(planned?.values) === JSON.stringify(found?.values)) return
  throw new LifeboatError('dns.changed', `${resource} was changed by somebody else since it was looked at`, { retry: {} })
}

function matches(found: RecordSet, values: readonly string[], ttlMs: number): boolean {
  return found.ttlSeconds === ttlMs / seconds && same(found.values, values)
}

/** Name servers that do not give the wanted answer yet. */
async function laggards(place: Place, values: readonly string[], { azure, dns }: Platform): Promise<string[]> {
  const servers = (await azure.zones.nameServers(place.zone)) ?? []
  const answers = await Promise.all(servers.map((server) => dns.ask(server, fqdnOf(place), place.type)))
  return servers.filter((_, index) => !same(answers[index]?.values ?? [], values))
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return JSON.stringify([...a].sort()) === JSON.stringify([...b].sort())
}

function fqdnOf({ zone, name }: Place): string {
  return name === '@' ? zoneName(zone) : `${name}.${zoneName(zone)}`
}

function zoneName(zone: string): string {
  return zone.split('/').at(-1) ?? zone
}
