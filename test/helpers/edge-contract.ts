import { expect, it } from 'vitest'
import { LifeboatError } from '../../src/contract/index.js'
import type { DnsDoor } from '../../src/platform/dns/door.js'
import type { HttpDoor } from '../../src/platform/http/door.js'
import { setNameServer } from '../../src/sim/dns/lost.js'
import type { World } from '../../src/sim/world/world.js'

/** DNS and HTTP as doors find them at the edge of the world of data100: over sockets, or in this process. */
export interface EdgeUnderTest {
  readonly world: World
  readonly dns: DnsDoor
  readonly http: HttpDoor
  settled<T>(work: Promise<T>): Promise<T>
}

const host = 'data100.datahub.berkeley.edu'
const oldAddress = '198.51.100.11'

export function itAsksTheEdge(under: () => EdgeUnderTest): void {
  const { signal } = new AbortController()
  const ask = (change: object = {}) => under().http.get({ host, address: oldAddress, path: '/hub/login', tls: 'any', timeoutMs: 10_000, signal, ...change })
  const get = (change: object = {}) => under().settled(ask(change))
  const code = (promise: Promise<unknown>): Promise<string> =>
    under().settled(promise.then(() => 'none', (error: unknown) => (error instanceof LifeboatError ? error.code : String(error))))
  const servers = () => under().world.spec.zones[0]!.nameServers

  it('each name server gives what has come to it, with its TTL', async () => {
    const { world, dns } = under()
    const [first = '', last = ''] = [servers()[0], servers().at(-1)]
    const published = world.published.get('datahub.berkeley.edu/data100/a')!
    expect(await under().settled(dns.ask(first, host, 'A'))).toEqual({ values: [...published.values], ttlSeconds: published.ttl })
    world.publishedAhead.set('datahub.berkeley.edu/data100/a', { ttl: 60, values: ['203.0.113.9', '203.0.113.8'] })
    expect(await under().settled(dns.ask(`${first}.`, host.toUpperCase(), 'A'))).toEqual({ values: ['203.0.113.8', '203.0.113.9'], ttlSeconds: 60 })
    expect((await under().settled(dns.ask(last, host, 'A'))).values).toEqual([...published.values])
  })

  it('what there is not is empty, and what nobody can say is unknown', async () => {
    const { dns } = under()
    const [server = ''] = servers()
    expect(await under().settled(dns.ask(server, `none.${host}`, 'A'))).toEqual({ values: [], ttlSeconds: 0 })
    expect(await under().settled(dns.ask(server, host, 'TXT'))).toEqual({ values: [], ttlSeconds: 0 })
    expect(await code(dns.ask(server, 'www.example.org', 'A'))).toBe('dns.refused')
  })

  it('a name server that is silent says neither yes nor no, while the others answer (D21)', async () => {
    const { world, dns } = under()
    const [first = '', last = ''] = [servers()[0], servers().at(-1)]
    const met: string[] = []
    expect(setNameServer(world, first.toUpperCase(), 'silent', (question) => met.push(question))).toBe(true)
    expect(await code(dns.ask(first, host, 'A'))).toBe('dns.unreachable')
    expect((await under().settled(dns.ask(last, host, 'A'))).values).toEqual([oldAddress])
    expect(new Set(met)).toEqual(new Set([`A ${host}`]))
    setNameServer(world, first, 'back')
    expect((await under().settled(dns.ask(first, host, 'A'))).values).toEqual([oldAddress])
  })

  it('one that stays behind goes on with the old answer, and is right about all that has not changed (D21)', async () => {
    const { world, dns } = under()
    const [first = '', last = ''] = [servers()[0], servers().at(-1)]
    const met: string[] = []
    setNameServer(world, last, 'behind', (question) => met.push(question))
    expect((await under().settled(dns.ask(last, host, 'A'))).values).toEqual([oldAddress])
    expect(met).toEqual([])
    world.published.set('datahub.berkeley.edu/data100/a', { ttl: 60, values: ['203.0.113.9'] })
    expect((await under().settled(dns.ask(first, host, 'A'))).values).toEqual(['203.0.113.9'])
    expect(await under().settled(dns.ask(last, host, 'A'))).toMatchObject({ values: [oldAddress], ttlSeconds: 300 })
    expect(met).toEqual([`A ${host}`])
    expect(setNameServer(world, 'ns9.example.org', 'silent')).toBe(false)
  })

  it('records of other types come as they stand in the zone', async () => {
    const { world, dns } = under()
    const [server = ''] = servers()
    world.published.set('datahub.berkeley.edu/alias/cname', { ttl: 60, values: ['Elsewhere.example.org.'] })
    world.published.set('datahub.berkeley.edu/note/txt', { ttl: 60, values: ['a note'] })
    world.published.set('datahub.berkeley.edu/@/caa', { ttl: 60, values: ['0 issue "letsencrypt.org"', '0 iodef "mailto:ops@example.edu"'] })
    expect(await under().settled(dns.ask(server, 'alias.datahub.berkeley.edu', 'CNAME'))).toEqual({ values: ['elsewhere.example.org'], ttlSeconds: 0 })
    expect(await under().settled(dns.ask(server, 'alias.datahub.berkeley.edu', 'A'))).toEqual({ values: [], ttlSeconds: 0 })
    expect(await under().settled(dns.ask(server, 'note.datahub.berkeley.edu', 'TXT'))).toEqual({ values: ['a note'], ttlSeconds: 0 })
    expect(await under().settled(dns.caa(server, 'datahub.berkeley.edu'))).toEqual([
      { tag: 'issue', value: 'letsencrypt.org' },
      { tag: 'iodef', value: 'mailto:ops@example.edu' },
    ])
    expect(await under().settled(dns.caa(server, host))).toEqual([])
  })

  it('a hub answers by its name at its address, and shows its certificate', async () => {
    const { status, body, certificate } = await get()
    expect({ status, body }).toEqual({ status: 200, body: expect.stringContaining('JupyterHub') as string })
    expect(certificate).toMatchObject({ subject: host, issuer: expect.stringContaining('Lifeboat world') as string, trusted: false })
    expect(certificate.validTo).toMatch(/^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4} GMT$/)
    expect((await get({ path: '/nothing' })).status).toBe(404)
  })

  it('another name there finds nothing, and another address nobody', async () => {
    const other = await get({ host: 'elsewhere.example.org' })
    expect([other.status, other.certificate.subject]).toEqual([404, 'ingress.local'])
    expect(await code(ask({ address: '203.0.113.99' }))).toBe('http.unreachable')
    expect(await code(ask({ address: undefined }))).toBe('http.unreachable')
  })

  it('a hub whose homes are not served says that it is unavailable', async () => {
    const [nfs] = under().world.hosts.values()
    nfs!.services.nfs = false
    expect(await get()).toMatchObject({ status: 503, body: expect.stringContaining('NFS is not running') as string })
  })

  it('no certificate of a world passes for a trusted one', async () => {
    expect(await code(ask({ tls: 'verify' }))).toBe('http.unreachable')
  })

  it('what is broken off ends with the reason of whoever did', async () => {
    const stop = new AbortController()
    stop.abort(new LifeboatError('run.stopped', 'stopped'))
    expect(await code(ask({ signal: stop.signal }))).toBe('run.stopped')
  })
}
