import { z } from 'zod'
import { isPending, LifeboatError, type Finding, type PlanInputs } from '../../contract/index.js'
import { durationMs } from '../../contract/inputs.js'
import type { Platform } from '../../platform/platform.js'
import { seconds } from '../step.js'
import { pathOf } from './writes.js'

export const recordType = z.enum(['A', 'CNAME', 'TXT'])

/** A time to live, in milliseconds here; DNS counts whole seconds. */
export const ttlMs = durationMs.refine((ms) => ms >= seconds && ms % seconds === 0, 'a TTL is whole seconds, at least one')

/** Where a record set is: `zone` is the zone's resource id, `name` relative to it. */
export interface RecordPlace {
  readonly zone: string
  readonly name: string
  readonly type: z.infer<typeof recordType>
}

export function fqdnOf({ zone, name }: Pick<RecordPlace, 'zone' | 'name'>): string {
  return name === '@' ? zoneName(zone) : `${name}.${zoneName(zone)}`
}

export function zoneName(zone: string): string {
  return zone.split('/').at(-1) ?? zone
}

export const recordLabel = (place: RecordPlace): string => `record ${place.type} ${fqdnOf(place)}`

/** Its path in a write; any part of it may be pending. */
export function recordPath({ zone, name, type }: PlanInputs<RecordPlace>): string {
  const [kind, own] = [type, name].map((one) => (isPending(one) ? '*' : one)) as [string, string]
  return `${pathOf(zone, 'Microsoft.Network/dnsZones')}/${kind}/${own}`
}

/** A zone that is not there is told before anything is written. */
export async function zoneFindings(zone: unknown, { azure }: Platform): Promise<readonly Finding[]> {
  if (isPending(zone) || (await azure.zones.nameServers(String(zone))) !== undefined) return []
  return [{ level: 'stop', what: `there is no DNS zone ${String(zone)}`, mend: 'Look at `az network dns zone list`, and at the subscription of the runbook.' }]
}

/** Sets of values; names are compared as DNS does, without regard to case and with or without the last dot. */
export function sameRecords(type: RecordPlace['type'], a: readonly string[], b: readonly string[]): boolean {
  const plain = (values: readonly string[]): string[] =>
    values.map((value) => (type === 'CNAME' ? value.toLowerCase().replace(/\.$/, '') : value)).sort()
  return JSON.stringify(plain(a)) === JSON.stringify(plain(b))
}

type Answer = Awaited<ReturnType<Platform['dns']['ask']>>

/** What one name server said, or why it said nothing. */
export interface Told {
  readonly server: string
  readonly answer?: Answer
  readonly error?: LifeboatError
}

/** A name server that says nothing must not hide what the others say. */
export async function askServer(server: string, place: RecordPlace, { dns }: Pick<Platform, 'dns'>): Promise<Told> {
  try {
    return { server, answer: await dns.ask(server, fqdnOf(place), place.type) }
  } catch (error) {
    if (saysNothing(error)) return { server, error }
    throw error
  }
}

/** Of a name server that says neither what it has nor that it has nothing. */
function saysNothing(error: unknown): error is LifeboatError {
  return error instanceof LifeboatError && ['dns.unreachable', 'dns.refused'].includes(error.code)
}

/** What each name server of a zone says, and which of them do not give these values, silent ones among them. */
export async function askEach(
  servers: readonly string[],
  place: RecordPlace,
  values: readonly string[],
  doors: Pick<Platform, 'dns'>,
): Promise<{ readonly told: readonly Told[]; readonly late: readonly Told[] }> {
  const told = await Promise.all(servers.map((server) => askServer(server, place, doors)))
  return { told, late: told.filter(({ answer }) => answer === undefined || !sameRecords(place.type, answer.values, values)) }
}

/** Who asks a server that lags keeps what it says for the TTL that it says with it. */
export function sayLate({ server, answer, error }: Told): string {
  if (answer === undefined) return error?.message ?? `${server} does not answer`
  if (answer.values.length === 0) return `${server} has no such record yet`
  const kept = answer.ttlSeconds > 0 ? `, which resolvers keep for up to ${answer.ttlSeconds} s` : ''
  return `${server} still gives ${answer.values.join(', ')}${kept}`
}
