import { createServer as createProxy, type Server as Proxy } from 'node:http'
import { createServer, type Server } from 'node:https'
import { connect, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { LifeboatError } from '../../src/contract/index.js'
import { clockOf } from '../../src/platform/clock/clock.js'
import type { HttpRequest } from '../../src/platform/http/door.js'
import { openHttp } from '../../src/platform/http/client.js'
import { makeAuthority } from '../../src/sim/pki.js'

const host = 'data100.example.edu'
const authority = makeAuthority('A test', Date.now())
const opened: (Server | Proxy)[] = []
afterEach(() => {
  for (const server of opened.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

interface Seen {
  name: string
  header: string
  path: string
}

/** A hub that tells what it saw, behind a proxy that leads there and keeps where it was asked to go. */
async function hub(status = 200, body = 'hello', answers = true): Promise<{ proxy: string; asked: string[]; seen: Seen[] }> {
  const seen: Seen[] = []
  const asked: string[] = []
  const server = createServer(authority.issue([host]), (request, response) => {
    const { servername } = request.socket as { servername?: string }
    seen.push({ name: servername ?? '', header: request.headers.host ?? '', path: request.url ?? '' })
    if (answers) response.writeHead(status).end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy = createProxy()
  proxy.on('connect', (request, socket) => {
    asked.push(request.url ?? '')
    if (request.url === '203.0.113.9:443') return socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n')
    const inner = connect((server.address() as AddressInfo).port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      inner.pipe(socket).pipe(inner)
    })
    inner.on('error', () => socket.destroy())
    socket.on('error', () => inner.destroy())
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  opened.push(server, proxy)
  return { proxy: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, asked, seen }
}

const request = (change: Partial<HttpRequest> = {}): HttpRequest => ({
  host,
  address: '203.0.113.1',
  path: '/hub/login',
  tls: 'any',
  timeoutMs: 30_000,
  signal: new AbortController().signal,
  ...change,
})
const failure = (promise: Promise<unknown>): Promise<unknown> => promise.then(() => 'none', (error: unknown) => error)

describe('HTTPS by name against an address', () => {
  it('goes through the proxy to the address, and bears the name inside', async () => {
    const { proxy, asked, seen } = await hub()
    const answer = await openHttp({ clock: clockOf({}), httpsProxy: proxy }).get(request())
    expect(answer).toMatchObject({ status: 200, body: 'hello' })
    expect(asked).toEqual(['203.0.113.1:443'])
    expect(seen).toEqual([{ name: host, header: host, path: '/hub/login' }])
  })

  it('takes any certificate when told so, and says which it was', async () => {
    const { proxy } = await hub()
    const { certificate } = await openHttp({ clock: clockOf({}), httpsProxy: proxy }).get(request())
    expect(certificate).toMatchObject({ issuer: 'A test', trusted: false })
    expect(certificate.subject).toContain(host)
  })

  it('takes no certificate that it cannot trust otherwise', async () => {
    const { proxy, seen } = await hub()
    const error = await failure(openHttp({ clock: clockOf({}), httpsProxy: proxy }).get(request({ tls: 'verify' })))
    expect(error).toMatchObject({ code: 'http.unreachable' })
    expect((error as Error).message).toMatch(/certificate/)
    expect(seen).toEqual([])
  })

  it('gives every status as an answer, and a long body only in part', async () => {
    const { proxy } = await hub(503, 'x'.repeat(200_000))
    const answer = await openHttp({ clock: clockOf({}), httpsProxy: proxy }).get(request())
    expect(answer.status).toBe(503)
    expect(answer.body.length).toBeLessThan(200_000)
  })

  it.each([
    ['the proxy finds nobody there', { address: '203.0.113.9' }, {}],
    ['nobody answers in time', { timeoutMs: 1 }, { answers: false }],
  ])('is unreachable, and worth another try, when %s', async (_, change, { answers = true }: { answers?: boolean }) => {
    const { proxy } = await hub(200, '', answers)
    const error = await failure(openHttp({ clock: clockOf({}), httpsProxy: proxy }).get(request(change)))
    expect(error).toBeInstanceOf(LifeboatError)
    expect(error).toMatchObject({ code: 'http.unreachable', retry: {} })
  })

  it('stops when the run is stopped', async () => {
    const { proxy, seen } = await hub(200, '', false)
    const stop = new AbortController()
    const answer = failure(openHttp({ clock: clockOf({}), httpsProxy: proxy }).get(request({ signal: stop.signal })))
    while (seen.length === 0) await new Promise((resolve) => setImmediate(resolve))
    stop.abort(new LifeboatError('run.stopped', 'stopped'))
    expect(await answer).toMatchObject({ code: 'run.stopped' })
  })
})
