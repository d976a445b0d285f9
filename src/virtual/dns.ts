import type { DnsDoor } from '../platform/dns/door.js'
import { unreachable } from '../platform/dns/resolver.js'
import { askedBySomebody } from '../sim/dns/answers.js'
import type { World } from '../sim/world/world.js'
import type { Gate } from './gate.js'

export interface VirtualDnsOptions {
  readonly world: World
  readonly gate: Gate
}

/** Milliseconds of the world for one question. */
const answerMs = 20

/** The machine's milliseconds until the real door gives a silent name server up: two tries. */
const patienceMs = 6_000

type Records = NonNullable<NonNullable<ReturnType<typeof askedBySomebody>>['answers']>

/** The answers' codes that say neither yes nor no (RFC 1035 4.1.1), by the names that c-ares has for them. */
const refusals: Readonly<Record<number, string>> = { 2: 'ESERVFAIL', 4: 'ENOTIMP', 5: 'EREFUSED' }

/** A world's name servers, asked without sockets. */
export function openVirtualDns({ world, gate }: VirtualDnsOptions): DnsDoor {
  async function answers(nameServer: string, name: string, type: 'A' | 'CNAME' | 'TXT' | 'CAA'): Promise<Records> {
    const server = withoutDot(nameServer)
    return gate.through({ door: 'dns', what: `${type} ${name} at ${server}`, writes: false }, async () => {
      const pass = (ms: number): Promise<void> => new Promise((resolve) => void world.clock.schedule(ms, resolve))
      await pass(answerMs)
      const isThere = world.spec.zones.some((zone) => zone.nameServers.some((one) => withoutDot(one) === server))
      if (!isThere) throw unreachable(server, undefined)
      const reply = askedBySomebody(world, server, { type: 'query', id: 1, questions: [{ type, name }] })
      if (reply === undefined) {
        await pass(patienceMs * (world.clock.rate ?? 1))
        throw unreachable(server, undefined)
      }
      const refusal = refusals[(reply.flags ?? 0) & 15]
      if (refusal !== undefined) throw unreachable(server, Object.assign(new TypeError(refusal), { code: refusal }))
      return reply.answers ?? []
    })
  }

  return {
    async ask(nameServer, name, type) {
      const records = (await answers(nameServer, name, type)).filter((one) => one.type === type)
      const values = records.flatMap((one) => {
        if (one.type === 'A') return one.data
        if (one.type === 'CNAME') return withoutDot(one.data)
        return one.type === 'TXT' ? [one.data].flat().map(String).join('') : []
      })
      const [first] = records
      // The real door is told no TTL but for addresses.
      return { values: values.sort(), ttlSeconds: first?.type === 'A' ? (first.ttl ?? 0) : 0 }
    },
    async caa(nameServer, name) {
      const records = await answers(nameServer, name, 'CAA')
      return records.flatMap((one) => (one.type === 'CAA' ? [{ tag: one.data.tag, value: one.data.value }] : []))
    },
  }
}

function withoutDot(name: string): string {
  return name.replace(/\.$/, '').toLowerCase()
}
