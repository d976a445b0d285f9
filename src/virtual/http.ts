import { LifeboatError, type Clock, type Log } from '../contract/index.js'
import { httpOver } from '../platform/http/client.js'
import type { HttpAnswer, HttpDoor, HttpRequest } from '../platform/http/door.js'
import { throwAway, type Hubs } from '../sim/hubs/hub.js'
import type { World } from '../sim/world/world.js'
import type { Gate } from './gate.js'
import { unlessAborted } from './unless-aborted.js'

export interface VirtualHttpOptions {
  readonly world: World
  readonly hubs: Hubs
  readonly gate: Gate
  /** The life's. */
  readonly clock: Clock
  readonly log?: Log
}

/** Milliseconds of the world for one request. */
const answerMs = 80
const month = 30 * 24 * 3_600_000

/** HTTPS to a world's hubs, through a proxy that finds nobody where no hub is. */
export function openVirtualHttp({ world, hubs, gate, clock, log }: VirtualHttpOptions): HttpDoor {
  const carry = async (request: HttpRequest): Promise<HttpAnswer> => {
    const { host, path, address = host } = request
    await new Promise<void>((resolve) => void world.clock.schedule(answerMs, resolve))
    if (!hubs.addresses().has(address)) throw nobody(request, 'the proxy answers 504')
    // As over sockets: nobody here trusts the world's own authority.
    if (request.tls === 'verify') throw nobody(request, 'self-signed certificate in certificate chain')
    const own = hubs.isCertified(host, address)
    const answer = hubs.answer(host, address, 'GET', path)
    if (answer === undefined) throw nobody(request, 'the proxy answers 504')
    const certificate = {
      subject: own ? host : 'ingress.local',
      issuer: own ? `Lifeboat world ${world.spec.name}` : throwAway,
      validTo: certificateTime(Date.parse(world.spec.epoch) + month),
      trusted: false,
    }
    return { status: answer.status, body: answer.body, certificate }
  }
  return httpOver({ clock, ...(log === undefined ? {} : { log }) }, (request, signal) => {
    const { host, path, address } = request
    const what = `GET https://${host}${path}${address === undefined ? '' : ` at ${address}`}`
    const answer = gate.through({ door: 'http', what, writes: false }, () => carry(request))
    return unlessAborted(signal, answer, ({ reason }) => reason as Error)
  })
}

function nobody({ host, address = host }: HttpRequest, why: string): LifeboatError {
  return new LifeboatError('http.unreachable', `https://${host} at ${address} does not answer: ${why}`, { retry: {} })
}

/** `Mar 27 19:34:00 2019 GMT`, as OpenSSL writes it. */
function certificateTime(ms: number): string {
  const [, day = '', month = '', year = '', time = ''] = new Date(ms).toUTCString().split(' ')
  return `${month} ${day.replace(/^0/, ' ')} ${time} ${year} GMT`
}
