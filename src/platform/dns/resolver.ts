import { Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import { LifeboatError } from '../../contract/index.js'
import type { CaaRecord, DnsDoor } from './door.js'

export interface DnsOptions {
  /** Real milliseconds for one try; there are two. */
  readonly timeoutMs?: number
}

/**
 * Asks a name server itself. `addresses` (from the cloud file) says where a name server answers if not at the address that
 * its name resolves to.
 */
export function openDns(addresses: Readonly<Record<string, string>>, { timeoutMs = 3_000 }: DnsOptions = {}): DnsDoor {
  const newResolver = (): Resolver => new Resolver({ timeout: timeoutMs, tries: 2 })
  const known = new Map(Object.entries(addresses).map(([name, address]) => [withoutDot(name), address]))

  async function serverAddress(nameServer: string): Promise<string> {
    const name = withoutDot(nameServer)
    const given = known.get(name) ?? (isIP(name) === 0 ? undefined : name)
    if (given !== undefined) return given
    try {
      const [address] = await newResolver().resolve4(name)
      if (address !== undefined) return address
    } catch (cause) {
      throw unreachable(name, cause)
    }
    throw unreachable(name, undefined)
  }

  async function at<T>(nameServer: string, asking: (resolver: Resolver) => Promise<T>, none: T): Promise<T> {
    const resolver = newResolver()
    setServer(resolver, await serverAddress(nameServer))
    try {
      return await asking(resolver)
    } catch (error) {
      // The server answered, and has no such name or no record of that type.
      if (isCode(error, 'ENOTFOUND') || isCode(error, 'ENODATA')) return none
      throw unreachable(nameServer, error)
    }
  }

  return {
    ask: (nameServer, name, type) => at<Answer>(nameServer, (resolver) => query(resolver, name, type), { values: [], ttlSeconds: 0 }),
    caa: (nameServer, name) =>
      at<readonly CaaRecord[]>(nameServer, async (resolver) => (await resolver.resolveCaa(name)).flatMap((one) => tagsOf({ ...one })), []),
  }
}

type Answer = Awaited<ReturnType<DnsDoor['ask']>>

async function query(resolver: Resolver, name: string, type: 'A' | 'CNAME' | 'TXT'): Promise<Answer> {
  switch (type) {
    case 'A': {
      const records = await resolver.resolve4(name, { ttl: true })
      return { values: records.map(({ address }) => address).sort(), ttlSeconds: records[0]?.ttl ?? 0 }
    }
    // Node tells no TTL for these two.
    case 'CNAME':
      return { values: (await resolver.resolveCname(name)).map(withoutDot).sort(), ttlSeconds: 0 }
    case 'TXT':
      return { values: (await resolver.resolveTxt(name)).map((parts) => parts.join('')).sort(), ttlSeconds: 0 }
  }
}

/** Node gives each record as an object with its tag as a key. */
function tagsOf(record: Readonly<Record<string, unknown>>): CaaRecord[] {
  return Object.entries(record).flatMap(([tag, value]) => (typeof value === 'string' ? [{ tag, value }] : []))
}

function withoutDot(name: string): string {
  return name.replace(/\.$/, '').toLowerCase()
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

function setServer(resolver: Resolver, address: string): void {
  try {
    resolver.setServers([address])
  } catch (cause) {
    throw new LifeboatError('dns.address', `the cloud file gives ${address} for a name server, which is no address`, {
      blame: 'user',
      cause,
      hint: 'Write `ADDRESS` or `ADDRESS:PORT` under reach.nameServers.',
    })
  }
}

/** Answers that say neither yes nor no. */
const refusals: Readonly<Record<string, string>> = { EREFUSED: 'refuses', ESERVFAIL: 'fails', ENOTIMP: 'does not understand us' }

/** The error for a name server that says neither yes nor no; `cause` bears c-ares's code, if it was that which asked. */
export function unreachable(nameServer: string, cause: unknown): LifeboatError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  return new LifeboatError(code === 'EREFUSED' ? 'dns.refused' : 'dns.unreachable', `the name server ${withoutDot(nameServer)} ${refusals[code] ?? 'does not answer'}`, {
    cause,
    retry: {},
    hint: 'Is port 53 (UDP and TCP) open from here? The cloud file can name another address for it.',
  })
}
