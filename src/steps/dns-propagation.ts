import { z } from 'zod'
import { durationMs, resourceId } from '../contract/inputs.js'
import { askEach, fqdnOf, sayLate, zoneName, type Told } from './parts/dns.js'
import { defineStep, minutes, seconds } from './step.js'

const inputs = z.strictObject({
  zone: resourceId,
  name: z.string().min(1),
  type: z.enum(['A', 'CNAME', 'TXT']),
  values: z.array(z.string()).min(1),
  /** The TTL in force before the change, where that was not lowered in time: for so long resolvers may keep the old answer. */
  ttlBefore: durationMs.optional(),
  within: durationMs.default(15 * minutes),
})
type Inputs = z.infer<typeof inputs>

/**
 * Waits until every one of the zone's own name servers gives the wanted values: one that does is no proof for the others,
 * and a resolver's cache proves nothing (facts/azure, DNS). Changes nothing.
 */
export const dnsPropagation = defineStep({
  uses: 'dns/propagation',
  summary: 'Every name server of the zone gives a record’s new values',
  inputs,
  outputs: z.object({ fqdn: z.string(), nameServers: z.array(z.string()), remark: z.string() }),
  identity: ['zone', 'name', 'type', 'values', 'ttlBefore'],
  check: true,
  verification: ({ within }) => ({ everyMs: 2 * seconds, withinMs: within }),
  preflight: async () => [],
  async observe(wanted, { doors }) {
    const { zone, values } = wanted
    const servers = await doors.azure.zones.nameServers(zone)
    if (servers === undefined) return { state: 'unknown', why: `there is no DNS zone ${zone}` }
    if (servers.length === 0) return { state: 'unknown', why: `the zone ${zoneName(zone)} names no name servers that could be asked` }
    const fqdn = fqdnOf(wanted)
    const { told, late } = await askEach(servers, wanted, values, doors)
    if (late.length > 0) return { state: 'in-flight', what: `${fqdn}: ${late.map(sayLate).join('; ')}` }
    const remark = `all ${servers.length} name servers give ${fqdn} as ${values.join(', ')}${sayResolvers(wanted, told)}`
    return { state: 'converged', outputs: { fqdn, nameServers: [...servers], remark } }
  },
  plan: () => [],
  apply: async () => undefined,
  invert: () => [],
  claims: () => [],
  estimateMs: () => 10 * seconds,
})

/** Only an address comes with its TTL (see the DNS door). */
function sayResolvers({ ttlBefore }: Pick<Inputs, 'ttlBefore'>, told: readonly Told[]): string {
  const now = Math.max(...told.map(({ answer }) => answer?.ttlSeconds ?? 0))
  const longest = ttlBefore === undefined ? now : ttlBefore / seconds
  return longest > 0 ? `; resolvers that asked before the change may keep the old answer for up to ${longest} s` : ''
}
