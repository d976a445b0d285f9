import { z } from 'zod'
import { isPending, LifeboatError, type Change } from '../contract/index.js'
import { resourceId } from '../contract/inputs.js'
import type { RecordSet } from '../platform/azure/door.js'
import { askEach, fqdnOf, recordLabel, recordPath, recordType, sameRecords, sayLate, ttlMs, zoneFindings, zoneName } from './parts/dns.js'
import { recordFindings } from './parts/dns-readiness.js'
import { naming } from './parts/naming.js'
import { actionsFor, lockFindings, rightsFindings, together } from './parts/readiness.js'
import { written } from './parts/writes.js'
import { claim, defineStep, groupClaim, groupOf, inverted, known, minutes, seconds } from './step.js'

const inputs = z.strictObject({
  zone: resourceId,
  name: z.string().min(1),
  type: recordType,
  /** Of a record set that is made here. One that exists keeps its own: `dns/ttl` is what changes that. */
  ttl: ttlMs,
  values: z.array(z.string()).min(1),
})

interface Seen {
  readonly values: readonly string[]
}

/**
 * The values of a record set. Done when the zone's own name servers answer with it: a resolver's cache proves nothing. Written with the
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
    return together(
      zoneFindings(wanted.zone, doors),
      recordFindings(changes, wanted, doors),
      rightsFindings(doors, [{ scope: wanted.zone, actions }]),
      lockFindings(doors, wanted.zone, changes),
    )
  },
  async observe(wanted, { doors }) {
    const { zone, name, type, values } = wanted
    const found = await doors.azure.zones.getRecord(zone, name, type)
    if (found === undefined) return { state: 'absent' }
    const fqdn = fqdnOf(wanted)
    if (found.target !== undefined) {
      return { state: 'conflict', why: `${fqdn} follows the resource ${found.target}`, mend: 'Make it a record with values of its own first, or leave it out of the runbook.' }
    }
    if (isPending(values) || !sameRecords(type, found.values, values)) return { state: 'drifted', seen: { values: found.values } }
    const servers = (await doors.azure.zones.nameServers(zone)) ?? []
    if (servers.length === 0) return { state: 'unknown', why: `the zone ${zoneName(zone)} names no name servers that could be asked` }
    const { late } = await askEach(servers, wanted, values, doors)
    // Published or not, it is this run's where it has written it: the way back waits for no name server.
    if (late.length > 0) return { state: 'in-flight', what: `${fqdn}: ${late.map(sayLate).join('; ')}`, halfMade: recordLabel(wanted) }
    return { state: 'converged', outputs: { fqdn, values: [...found.values] } }
  },
  plan: ({ zone, name, type, ttl, values }, seen: { state: 'absent' } | { state: 'drifted'; seen: Seen }): Change[] => {
    const wanted = isPending(values) ? values : [...values].sort()
    const resource = recordLabel({ zone: naming(zone, 'zone'), name: naming(name, 'name'), type: naming(type, 'type') })
    if (seen.state === 'drifted') return [{ resource, action: 'update', before: { values: seen.seen.values }, after: { values: wanted } }]
    return [{ resource, action: 'create', after: { values: wanted, ttlSeconds: isPending(ttl) ? ttl : ttl / seconds } }]
  },
  async apply(changes, wanted, { doors }) {
    for (const change of changes) {
      const found = await doors.azure.zones.getRecord(wanted.zone, wanted.name, wanted.type)
      if (change.action === 'delete') {
        if (found !== undefined) await doors.azure.zones.deleteRecord(wanted.zone, wanted.name, wanted.type, found.etag)
        continue
      }
      assertAsPlanned(change, found)
      const { values, ttlSeconds: ownTtl = wanted.ttl / seconds } = change.after as unknown as Seen & { readonly ttlSeconds?: number }
      const ttlSeconds = found?.ttlSeconds ?? ownTtl
      const rest = found?.metadata === undefined ? {} : { metadata: found.metadata }
      await doors.azure.zones.putRecord(wanted.zone, { ...rest, name: wanted.name, type: wanted.type, ttlSeconds, values }, found?.etag)
    }
  },
  invert: (changes) => changes.map(inverted),
  writes: (changes, place) => changes.map(({ action }) => written(action, recordPath(place))),
  claims: ({ zone, name }) => [claim('record', `${known(zone)}/${known(name)}`), ...(isPending(zone) ? [] : [groupClaim(groupOf(zone))])],
  estimateMs: () => 20 * seconds,
})

/** The etag guards what is read now; that it is still what the plan saw is told by its values. */
function assertAsPlanned({ resource, before }: Change, found: RecordSet | undefined): void {
  const planned = before as Seen | undefined
  if (JSON.stringify(planned?.values) === JSON.stringify(found?.values)) return
  throw new LifeboatError('dns.changed', `${resource} was changed by somebody else since it was looked at`, { retry: {} })
}
