import { createServer } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'
import { holdsAddress } from '../world/balancers.js'
import { makeAuthority, type Authority } from '../pki.js'
import type { HubState } from '../world/model.js'
import type { World } from '../world/world.js'
import { whyNotServed, whyNotServedBy, type Mounter } from './nfs.js'

/** A LoadBalancer Service of some simulated cluster, as far as a hub behind it is concerned. */
export interface ServedService {
  readonly namespace: string
  readonly address?: string
  /** Are all pods behind it ready? */
  readonly ready: boolean
  /** NFS volumes that the namespace's pods mount. */
  readonly volumes: readonly { readonly server: string; readonly path: string }[]
  /** Where those pods are. */
  readonly from: Mounter
}

type Hub = World['spec']['hubs'][number]

export interface HubsOptions {
  readonly world: World
  readonly authority: Authority
  readonly services: () => readonly ServedService[]
}

/** The hubs at their public addresses: one server an address, so that it knows at which one it was asked. */
export class Hubs {
  readonly #options: HubsOptions
  readonly #fake: Authority
  readonly #servers = new Map<string, ReturnType<typeof createServer>>()
  /** `host address` -> world time from which the hub's own certificate is there. */
  readonly #certifiedFromMs = new Map<string, number>()

  constructor(options: HubsOptions) {
    this.#options = options
    this.#fake = makeAuthority('Kubernetes Ingress Controller Fake Certificate', Date.now())
  }

  /** Opens servers for addresses that are new, and notes from when a hub's certificate will be there. Called on every change. */
  async refresh(): Promise<void> {
    const { world } = this.#options
    const addresses = this.#addresses()
    for (const [address, server] of this.#servers) if (!addresses.has(address)) this.#close(address, server)
    for (const address of addresses) {
      if (!this.#servers.has(address)) await this.#open(address)
    }
    for (const hub of world.spec.hubs) {
      for (const address of publishedFor(world, hub.host)) {
        const old = this.#isOld(hub, address)
        // A reserved address that the old hub has lost and no new one has taken yet.
        if (!old && address === hub.serving?.address && this.#service(hub, address) === undefined) continue
        const key = this.#certificateKey(hub, address)
        // The hub that serves at the start has had its certificate for long.
        const waitMs = old ? 0 : hub.certificateAfter
        if (!this.#certifiedFromMs.has(key)) this.#certifiedFromMs.set(key, world.clock.nowMs() + waitMs)
      }
    }
  }

  states(): HubState[] {
    return this.#options.world.spec.hubs.flatMap((hub) =>
      [...this.#addresses()]
        .filter((address) => this.#belongs(hub, address))
        .map((address) => ({
          host: hub.host,
          address,
          answers: this.#whyNot(hub, address) === undefined,
          certificate: this.#isCertified(hub, address) ? `CN=${hub.host}` : 'CN=Kubernetes Ingress Controller Fake Certificate',
        })),
    )
  }

  async stop(): Promise<void> {
    for (const server of this.#servers.values()) {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }

  #addresses(): Set<string> {
    const { world, services } = this.#options
    const old = world.spec.hubs.flatMap((hub) => {
      const address = hub.serving?.address
      return address !== undefined && this.#isOld(hub, address) ? [address] : []
    })
    const fresh = services().flatMap(({ address }) => (address === undefined ? [] : [address]))
    return new Set([...old, ...fresh])
  }

  #service(hub: Hub, address: string): ServedService | undefined {
    return this.#options.services().find((one) => one.address === address && one.namespace === hub.namespace)
  }

  #belongs(hub: Hub, address: string): boolean {
    return this.#isOld(hub, address) || this.#service(hub, address) !== undefined
  }

  /** Is it the hub of the start that is at this address? It is no more once its load balancer has let go of a reserved one. */
  #isOld({ serving }: Hub, address: string): boolean {
    if (serving?.address !== address) return false
    return serving.balancer === undefined || holdsAddress(this.#options.world, serving.balancer, address)
  }

  /** Old and new hub may be at one address, each with a certificate of its own. */
  #certificateKey(hub: Hub, address: string): string {
    return `${hub.host} ${address}${this.#isOld(hub, address) ? ' old' : ''}`
  }

  /** Why this hub does not answer at this address, or undefined if it does. */
  #whyNot(hub: Hub, address: string): string | undefined {
    const { world } = this.#options
    if (hub.serving !== undefined && this.#isOld(hub, address)) {
      const host = world.host(hub.serving.machine)
      return host === undefined ? 'its NFS server is gone' : whyNotServedBy(world, host, mountpointOf(world, hub))
    }
    const service = this.#service(hub, address)
    if (service === undefined) return `no release in ${hub.namespace} has this address`
    if (!service.ready) return 'its pods are not ready'
    if (service.volumes.length === 0) return 'it mounts no homes'
    return service.volumes.map(({ server, path }) => whyNotServed(world, service.from, server, path)).find((why) => why !== undefined)
  }

  #isCertified(hub: Hub, address: string): boolean {
    const fromMs = this.#certifiedFromMs.get(this.#certificateKey(hub, address))
    return fromMs !== undefined && this.#options.world.clock.nowMs() >= fromMs
  }

  async #open(address: string): Promise<void> {
    const { world } = this.#options
    const server = createServer({ SNICallback: (name, done) => done(null, this.#context(name, address)) }, (request, response) =>
      this.#answer(address, request, response),
    )
    this.#servers.set(address, server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    world.routes.set(`${address}:443`, (server.address() as AddressInfo).port)
  }

  /** Nobody is at this address any more: what asks there is answered by nobody. */
  #close(address: string, server: ReturnType<typeof createServer>): void {
    this.#servers.delete(address)
    this.#options.world.routes.delete(`${address}:443`)
    server.closeAllConnections()
    server.close()
  }

  #context(name: string, address: string) {
    const hub = this.#options.world.spec.hubs.find(({ host }) => host === name)
    const own = hub !== undefined && this.#isCertified(hub, address)
    const { cert, key } = own ? this.#options.authority.issue([name]) : this.#fake.issue(['ingress.local'])
    return createSecureContext({ cert, key })
  }

  #answer(address: string, request: IncomingMessage, response: ServerResponse): void {
    const { world } = this.#options
    const name = sniOf(request)
    const hub = world.spec.hubs.find((one) => one.host === name && this.#belongs(one, address))
    const why = hub === undefined ? undefined : this.#whyNot(hub, address)
    const [status, type, body] = hub === undefined ? notFound : why === undefined ? page(request.url ?? '/') : unavailable(why)
    world.log({ door: 'http', method: request.method ?? 'GET', path: `https://${name}${request.url ?? '/'} at ${address}`, status, writes: false })
    response.writeHead(status, { 'content-type': type }).end(body)
  }
}

/** The name that the client asked for in its TLS hello. */
function sniOf({ socket }: IncomingMessage): string {
  const name: unknown = socket instanceof TLSSocket && 'servername' in socket ? socket.servername : undefined
  return typeof name === 'string' ? name : ''
}

type Answer = readonly [status: number, type: string, body: string]

const notFound: Answer = [404, 'text/plain', 'default backend - 404\n']

function unavailable(why: string): Answer {
  return [503, 'text/plain', `Service Unavailable: ${why}\n`]
}

function page(url: string): Answer {
  if (url.startsWith('/hub/login')) {
    return [200, 'text/html', '<!doctype html><title>JupyterHub</title><form action="/hub/login" method="post"><button>Sign in</button></form>\n']
  }
  if (url.startsWith('/hub/api')) return [200, 'application/json', '{"version":"5.2.1"}\n']
  if (url === '/' || url === '/hub' || url === '/hub/') return [302, 'text/plain', '']
  return notFound
}

function mountpointOf(world: World, hub: Hub): string {
  const datasets = world.pools.flatMap((pool) => pool.datasets)
  return datasets.find(({ name }) => name === hub.dataset)?.mountpoint ?? `/${hub.dataset}`
}

/** The addresses that the zones' name servers give for a host now. */
function publishedFor(world: World, host: string): readonly string[] {
  for (const zone of world.spec.zones) {
    const apex = (zone.id.split('/').at(-1) ?? '').toLowerCase()
    if (!host.endsWith(`.${apex}`)) continue
    return world.published.get(`${apex}/${host.slice(0, -apex.length - 1)}/a`)?.values ?? []
  }
  return []
}
