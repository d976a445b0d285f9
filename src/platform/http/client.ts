import { request as httpRequest } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import { connect, TLSSocket, type PeerCertificate } from 'node:tls'
import { LifeboatError, type Clock, type Log } from '../../contract/index.js'
import { stepAtWork } from '../log/step.js'
import { loggedUrl } from '../log/url.js'
import type { HttpAnswer, HttpDoor, HttpRequest } from './door.js'

const mostBodyBytes = 64 * 1024

export interface HttpOptions {
  readonly clock: Clock
  /** `http://host:port` of a CONNECT proxy. */
  readonly httpsProxy?: string
  /** Told of every request. */
  readonly log?: Log
}

/** HTTPS to a given address under a given name. The name decides SNI, Host header and which certificate is right. */
export function openHttp({ clock, httpsProxy, log }: HttpOptions): HttpDoor {
  return httpOver({ clock, ...(log === undefined ? {} : { log }) }, async (request, signal) => {
    const raw = httpsProxy === undefined ? undefined : await tunnel(httpsProxy, request, signal)
    return exchange(request, raw, signal)
  })
}

/** Carries one request to its answer. Whatever it throws means that nobody answered. */
export type Carry = (request: HttpRequest, signal: AbortSignal) => Promise<HttpAnswer>

/** The door over whatever carries its requests: its deadlines, its errors, and what is told of it. */
export function httpOver({ clock, log }: Pick<HttpOptions, 'clock' | 'log'>, carry: Carry): HttpDoor {
  return {
    async get(request) {
      const tell = teller(request, clock, log)
      const over = new AbortController()
      const signal = AbortSignal.any([request.signal, over.signal])
      const timeout = clock
        .sleepReal(request.timeoutMs, over.signal)
        .then(() => over.abort(unreachable(request, 'no answer in time')))
        .catch(() => undefined)
      try {
        const answer = await carry(request, signal)
        tell({ status: answer.status })
        return answer
      } catch (error) {
        tell({ failure: error instanceof Error ? error.message : String(error) })
        request.signal.throwIfAborted()
        throw error instanceof LifeboatError ? error : unreachable(request, error)
      } finally {
        over.abort()
        await timeout
      }
    },
  }
}

/** Tells a log, if there is one, how a request ended. */
function teller({ host, path, address }: HttpRequest, clock: Clock, log: Log | undefined) {
  const startedMs = clock.realNow().getTime()
  return (ended: { readonly status: number } | { readonly failure: string }): void => {
    const at = address === undefined ? '' : ` at ${address}`
    const tookMs = clock.realNow().getTime() - startedMs
    log?.({ kind: 'request', step: stepAtWork(), method: 'GET', url: loggedUrl(`https://${host}${path}`) + at, writes: [], tookMs, ...ended })
  }
}

/** A connection through the proxy: CONNECT address:443. */
function tunnel(proxy: string, request: HttpRequest, signal: AbortSignal): Promise<Socket> {
  const { hostname, port } = new URL(proxy)
  return new Promise((resolve, reject) => {
    const call = httpRequest({ host: hostname, port, method: 'CONNECT', path: `${target(request)}:443`, signal, agent: false })
    call.on('connect', (answer: IncomingMessage, socket: Socket) => {
      if (answer.statusCode === 200) return resolve(socket)
      socket.destroy()
      reject(unreachable(request, `the proxy answers ${String(answer.statusCode)}`))
    })
    call.on('error', (error) => reject((signal.reason as Error | undefined) ?? error))
    call.end()
  })
}

function exchange(request: HttpRequest, raw: Socket | undefined, signal: AbortSignal): Promise<HttpAnswer> {
  const { host, path, tls } = request
  const options = { servername: host, rejectUnauthorized: tls === 'verify' }
  return new Promise((resolve, reject) => {
    const call = httpsRequest({
      host: target(request),
      port: 443,
      path,
      headers: { host, accept: 'text/html,application/json' },
      signal,
      ...options,
      // An agent, even `false`, would ignore the connection that is there and make one of its own, past the proxy.
      ...(raw === undefined ? { agent: false } : { createConnection: () => connect({ socket: raw, ...options }) }),
    })
    call.on('response', (answer) => {
      const { socket } = answer
      if (!(socket instanceof TLSSocket)) return reject(new LifeboatError('tool.bug', 'an answer came without TLS', { blame: 'tool' }))
      const certificate = certificateOf(socket)
      let body = ''
      answer.setEncoding('utf8')
      answer.on('data', (part: string) => {
        if (body.length < mostBodyBytes) body += part
      })
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body, certificate }))
      answer.on('error', reject)
    })
    call.on('error', (error) => reject((signal.reason as Error | undefined) ?? error))
    call.end()
  })
}

function certificateOf(socket: TLSSocket): HttpAnswer['certificate'] {
  const certificate = socket.getPeerCertificate()
  const name = (of: PeerCertificate['subject'] | undefined): string | undefined => [of?.CN ?? of?.O].flat()[0]
  return {
    // Today's certificates may have their names in the extension only.
    subject: name(certificate.subject) ?? certificate.subjectaltname?.replaceAll('DNS:', '') ?? 'nobody',
    issuer: name(certificate.issuer) ?? 'nobody',
    validTo: certificate.valid_to,
    trusted: socket.authorized,
  }
}

function target({ address, host }: HttpRequest): string {
  return address ?? host
}

function unreachable(request: HttpRequest, why: unknown): LifeboatError {
  const text = why instanceof Error ? why.message : String(why)
  return new LifeboatError('http.unreachable', `https://${request.host} at ${target(request)} does not answer: ${text}`, {
    retry: {},
    cause: why,
  })
}
