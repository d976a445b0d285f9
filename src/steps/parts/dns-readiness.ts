import { isPending, type Change, type Finding, type LifeboatError, type PlanInputs } from '../../contract/index.js'
import type { CaaRecord } from '../../platform/dns/door.js'
import type { Platform } from '../../platform/platform.js'
import { seconds } from '../step.js'
import { askServer, fqdnOf, recordLabel, zoneName, type RecordPlace } from './dns.js'

/** Clients may keep an answer for as long as its TTL says: up to here nobody minds. */
const shortTtlSeconds = 60
const issuer = 'letsencrypt.org'

/**
 * Could this record be changed, and would the change be seen? All name servers of the zone are asked, since all of them must
 * give the new answer in the end; the TTL in force and the issuers that the zone admits are told as they stand there now.
 */
export async function recordFindings(
  changes: readonly Change[],
  { zone, name, type }: PlanInputs<RecordPlace>,
  { azure, dns }: Platform,
): Promise<readonly Finding[]> {
  if (isPending(zone) || isPending(name) || isPending(type)) return []
  const place = { zone, name, type }
  const isUpdate = changes.some(({ action }) => action === 'update')
  const servers = (await azure.zones.nameServers(place.zone)) ?? []
  const told = await Promise.all(servers.map((server) => askServer(server, place, { dns })))
  const answered = told.flatMap(({ server, answer }) => (answer === undefined ? [] : [{ server, ttlSeconds: answer.ttlSeconds }]))
  const failed = told.flatMap(({ error }) => (error === undefined ? [] : [error]))
  const silent = failed.map((error) => silentFinding(error, place, answered.length > 0))
  const [first] = answered
  if (first === undefined || silent.some(({ level }) => level === 'stop')) return silent
  const record = isUpdate ? await azure.zones.getRecord(place.zone, place.name, place.type) : undefined
  const ttls = [...answered.map(({ ttlSeconds }) => ttlSeconds), record?.ttlSeconds ?? 0]
  const caa = place.type === 'TXT' ? [] : await caaFindings(place, first.server, dns)
  return [...silent, ...(isUpdate ? ttlFindings(place, Math.max(...ttls)) : []), ...caa]
}

/**
 * One that refuses the zone is not the zone's: something is wrong that waiting does not mend. One that is silent while others answer may
 * be back by then, and a hub is not left down for it; where all are silent, it is this place that they cannot be asked from.
 */
function silentFinding({ code, message, hint }: LifeboatError, { zone }: RecordPlace, othersAnswer: boolean): Finding {
  const mend = `Compare with \`dig NS ${zoneName(zone)}\`. ${hint ?? ''}`.trim()
  const what = `zone ${zoneName(zone)}: ${message}`
  if (code !== 'dns.unreachable' || !othersAnswer) return { level: 'stop', what, mend }
  return { level: 'warn', what: `${what}; a changed record is waited for there, and not called done before it answers`, mend }
}

function ttlFindings(place: RecordPlace, ttlSeconds: number): Finding[] {
  if (ttlSeconds <= shortTtlSeconds) return []
  const long = sayTtl(ttlSeconds)
  const what = `the TTL of ${fqdnOf(place)} is ${ttlSeconds} s now: unless it is lowered ${long} before the change, users will see the old address for up to ${long}`
  const mend = `Let \`uses: dns/ttl\` lower it to ${shortTtlSeconds} s as the first step of the runbook, or do it now if that is less than ${long} ahead of the change.`
  return [{ level: 'warn', what, mend, settledBy: { resource: recordLabel(place), sets: 'ttlSeconds', aheadMs: ttlSeconds * seconds } }]
}

function sayTtl(ttlSeconds: number): string {
  if (ttlSeconds < 120) return `${ttlSeconds} s`
  return ttlSeconds < 7200 ? `${Math.ceil(ttlSeconds / 60)} min` : `${Math.ceil(ttlSeconds / 3600)} h`
}

/** The nearest CAA records decide, from the name upwards (RFC 8659 3); above the zone, its own servers cannot say. */
async function caaFindings(place: RecordPlace, server: string, dns: Platform['dns']): Promise<Finding[]> {
  const zone = zoneName(place.zone).toLowerCase()
  for (let name = fqdnOf(place).toLowerCase(); ; name = name.slice(name.indexOf('.') + 1)) {
    const records = await dns.caa(server, name)
    if (records.length > 0) return admitted(records) ? [] : [refusal(name, records)]
    if (name === zone || !name.endsWith(`.${zone}`)) return []
  }
}

const isIssue = ({ tag }: CaaRecord): boolean => tag.toLowerCase() === 'issue'

/** Records without `issue` restrict nobody; behind `;` stand parameters for the issuer itself. */
function admitted(records: readonly CaaRecord[]): boolean {
  const issuers = records.filter(isIssue).map(({ value }) => value.split(';')[0]?.trim().toLowerCase())
  return issuers.length === 0 || issuers.includes(issuer)
}

function refusal(name: string, records: readonly CaaRecord[]): Finding {
  const issuers = records.filter(isIssue).map(({ value }) => (value === '' || value === ';' ? 'nobody' : value))
  return {
    level: 'warn',
    what: `the CAA records of ${name} let only ${issuers.join(', ')} issue certificates: Let’s Encrypt will refuse this name`,
    mend: `If the hub gets its certificate from Let’s Encrypt, add the record \`${name} CAA 0 issue "${issuer}"\`.`,
  }
}
