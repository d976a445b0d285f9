import { AUTHORITATIVE_ANSWER, type Answer, type CaaData, type Packet, type Question } from 'dns-packet'
import type { PublishedRecord } from '../world/model.js'
import type { World } from '../world/world.js'
import { caaOf } from './caa.js'

type Zone = World['spec']['zones'][number]

/** The four low bits of a header's flags (RFC 1035 4.1.1). */
const rcode = { noError: 0, nxDomain: 3, refused: 5 } as const

/** In the access log, of a question that nobody has answered: no code of DNS. */
const unanswered = 504

/**
 * As `answerTo`, for somebody who is not the world's own: it stands in the access log. Undefined from a name server that is silent: whoever
 * asks it waits until he gives up.
 */
export function askedBySomebody(world: World, nameServer: string, query: Packet): Packet | undefined {
  const lost = world.lostNameServers.get(nameServer.toLowerCase())
  const right = answerTo(world, nameServer, query)
  const reply = lost === undefined ? right : lost.tells && answerTo(world, nameServer, query, lost.tells)
  const question = sayQuestion(query.questions?.[0])
  if (JSON.stringify(reply) !== JSON.stringify(right)) lost?.met?.(question)
  world.log({ door: 'dns', method: 'QUERY', path: question, status: reply === undefined ? unanswered : (reply.flags ?? 0) & 15, writes: false })
  return reply
}

/** What one of a zone's own name servers answers to a question: what has come to it (`told`), not what the control plane has. */
function answerTo(world: World, nameServer: string, query: Packet, told?: ReadonlyMap<string, PublishedRecord>): Packet {
  const [question] = query.questions ?? []
  const reply = (code: number, answers: Answer[] = [], authorities: Answer[] = []): Packet => ({
    type: 'response',
    id: query.id ?? 0,
    flags: (code === rcode.refused ? 0 : AUTHORITATIVE_ANSWER) | code,
    questions: query.questions ?? [],
    answers,
    authorities,
  })
  const name = question?.name.toLowerCase().replace(/\.$/, '') ?? ''
  const zone = zoneOf(world, name)
  if (question === undefined || zone === undefined) return reply(rcode.refused)
  const known = recordsAt(zone, told ?? toldBy(world, zone, nameServer), name)
  if (known.length === 0) return reply(rcode.nxDomain, [], [soa(zone)])
  const answers = known.filter((one) => one.type === question.type || one.type === 'CNAME')
  return answers.length > 0 ? reply(rcode.noError, answers) : reply(rcode.noError, [], [soa(zone)])
}

/** `A data100.datahub.berkeley.edu`, for the access log. */
function sayQuestion(question: Question | undefined): string {
  return question === undefined ? '?' : `${question.type} ${question.name}`
}

function zoneName(zone: Zone): string {
  return (zone.id.split('/').at(-1) ?? '').toLowerCase()
}

function zoneOf(world: World, name: string): Zone | undefined {
  return world.spec.zones.find((zone) => name === zoneName(zone) || name.endsWith(`.${zoneName(zone)}`))
}

function recordsAt(zone: Zone, told: ReadonlyMap<string, PublishedRecord>, name: string): Answer[] {
  const apex = zoneName(zone)
  const relative = name === apex ? '@' : name.slice(0, -apex.length - 1)
  const own: Answer[] = name === apex ? [soa(zone), ...zone.nameServers.map((data): Answer => ({ type: 'NS', name, ttl: 172800, data }))] : []
  for (const [key, { ttl, values }] of told) {
    const [ofZone, ofName, type] = key.split('/')
    if (ofZone !== apex || ofName !== relative.toLowerCase()) continue
    for (const value of values) {
      if (type === 'a') own.push({ type: 'A', name, ttl, data: value })
      if (type === 'cname') own.push({ type: 'CNAME', name, ttl, data: value })
      if (type === 'caa') own.push({ type: 'CAA', name, ttl, data: caaData(value) })
      if (type === 'txt') own.push({ type: 'TXT', name, ttl, data: [value] })
    }
  }
  return own
}

/** By key, what a name server should tell: the last one of a zone is the slowest, the others are ahead of it. */
export function toldBy(world: World, zone: Zone, nameServer: string): ReadonlyMap<string, PublishedRecord> {
  if (zone.nameServers.at(-1)?.toLowerCase() === nameServer.toLowerCase()) return world.published
  const told = new Map(world.published)
  for (const [key, ahead] of world.publishedAhead) {
    if (ahead === undefined) told.delete(key)
    else told.set(key, ahead)
  }
  return told
}

function caaData(text: string): CaaData {
  const { flags, tag, value } = caaOf(text)
  return { flags, tag: tag as CaaData['tag'], value }
}

function soa(zone: Zone): Answer {
  const [mname = 'ns1-01.azure-dns.com'] = zone.nameServers
  const timers = { serial: 1, refresh: 3600, retry: 300, expire: 2419200, minimum: 300 }
  return { type: 'SOA', name: zoneName(zone), ttl: 3600, data: { mname, rname: 'azuredns-hostmaster.microsoft.com', ...timers } }
}
