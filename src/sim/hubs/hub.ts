import { holdsAddress } from '../world/balancers.js'
import type { HubState } from '../world/model.js'
import type { World } from '../world/world.js'
import { whyNotSaved, whyNotSavedOn, whyNotServed, whyNotServedBy, type Mounter } from './nfs.js'

/** A LoadBalancer Service of some simulated cluster, as far as a hub behind it is concerned. */
export interface ServedService {
  readonly namespace: string
  readonly address?: string
  /** Are all pods behind it ready? */
  readonly ready: boolean
  /** NFS volumes that the namespace's pods mount. */
  readonly volumes: readonly ServedVolume[]
  /** Where those pods are. */
  readonly from: Mounter
}

export interface ServedVolume {
  readonly server: string
  readonly path: string
  /** Nobody wants to save there. */
  readonly readOnly?: boolean
}

type Hub = World['spec']['hubs'][number]

export interface HubsOptions {
  readonly world: World
  readonly services: () => readonly ServedService[]
}

/** What somebody gets who asks at an address. */
export interface HubAnswer {
  readonly status: number
  readonly type: string
  readonly body: string
}

/** Common name of the certificate that an ingress shows before it has a better one. */
export const throwAway = 'Kubernetes Ingress Controller Fake Certificate'

/** The hubs at their public addresses. */
export class Hubs {
  readonly #options: HubsOptions
  /** `host address` -> world time from which the hub's own certificate is there. */
  readonly #certifiedFromMs = new Map<string, number>()
  /** Of those the ones that a game day lets come later. */
  readonly #late = new Set<string>()

  constructor(options: HubsOptions) {
    this.#options = options
  }

  /** Notes from when a hub's certificate will be there. Called on every change. */
  refresh(): void {
    const { world } = this.#options
    for (const hub of world.spec.hubs) {
      for (const address of publishedFor(world, hub.host)) {
        const old = this.#isOld(hub, address)
        // A reserved address that the old hub has lost and no new one has taken yet.
        if (!old && address === hub.serving?.address && this.#service(hub, address) === undefined) continue
        const key = this.#certificateKey(hub, address)
        // The hub that serves at the start has had its certificate for long.
        const waitMs = old ? 0 : hub.certificateAfter
        if (this.#certifiedFromMs.has(key)) continue
        this.#certifiedFromMs.set(key, world.clock.nowMs() + waitMs)
        if (world.hindrances.isWatched('certificate', hub.host)) this.#late.add(key)
      }
    }
  }

  states(): HubState[] {
    return this.#places().map(({ hub, address }) => ({
      host: hub.host,
      address,
      answers: this.#whyNot(hub, address) === undefined,
      certificate: this.#isCertified(hub, address) ? `CN=${hub.host}` : `CN=${throwAway}`,
    }))
  }

  /** Where hubs are, whatever they answer there: can be told often. */
  places(): Pick<HubState, 'host' | 'address'>[] {
    return this.#places().map(({ hub: { host }, address }) => ({ host, address }))
  }

  #places(): { readonly hub: Hub; readonly address: string }[] {
    const { world, services } = this.#options
    const there = services()
    const addresses = [...this.addresses(there)]
    return world.spec.hubs.flatMap((hub) =>
      addresses.filter((address) => this.#belongs(hub, address, there)).map((address) => ({ hub, address })),
    )
  }

  /** Does the hub of this name show a certificate of its own at this address, and not a throw-away one? */
  isCertified(host: string, address: string): boolean {
    const hub = this.#options.world.spec.hubs.find((one) => one.host === host)
    if (hub === undefined) return false
    const isCertified = this.#isCertified(hub, address)
    if (!isCertified && this.#late.has(this.#certificateKey(hub, address))) {
      this.#options.world.hindrances.meets('certificate', host, 'a connection to it')
    }
    return isCertified
  }

  /** What the hub of this name answers at this address; undefined if nobody is there. */
  answer(host: string, address: string, method: string, path: string): HubAnswer | undefined {
    if (!this.addresses().has(address)) return undefined
    const { world } = this.#options
    const hub = world.spec.hubs.find((one) => one.host === host && this.#belongs(one, address))
    const why = hub === undefined ? undefined : this.#whyNot(hub, address)
    const [status, type, body] = hub === undefined ? notFound : why === undefined ? page(path) : unavailable(why)
    world.log({ door: 'http', method, path: `https://${host}${path} at ${address}`, status, writes: false })
    return { status, type, body }
  }

  /** Public addresses at which something answers now. */
  addresses(services = this.#options.services()): Set<string> {
    const { world } = this.#options
    const old = world.spec.hubs.flatMap((hub) => {
      const address = hub.serving?.address
      return address !== undefined && this.#isOld(hub, address) ? [address] : []
    })
    const fresh = services.flatMap(({ address }) => (address === undefined ? [] : [address]))
    return new Set([...old, ...fresh])
  }

  #service(hub: Hub, address: string, services = this.#options.services()): ServedService | undefined {
    return services.find((one) => one.address === address && one.namespace === hub.namespace)
  }

  #belongs(hub: Hub, address: string, services?: readonly ServedService[]): boolean {
    return this.#isOld(hub, address) || this.#service(hub, address, services) !== undefined
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
      if (host === undefined) return 'its NFS server is gone'
      const homes = mountpointOf(world, hub)
      return whyNotServedBy(world, host, homes) ?? whyNotSavedOn(world, host, homes)
    }
    const service = this.#service(hub, address)
    if (service === undefined) return `no release in ${hub.namespace} has this address`
    if (!service.ready) return 'its pods are not ready'
    if (service.volumes.length === 0) return 'it mounts no homes'
    const whyNot = ({ server, path, readOnly }: ServedVolume): string | undefined =>
      readOnly === true ? whyNotServed(world, service.from, server, path) : whyNotSaved(world, service.from, server, path)
    return service.volumes.map(whyNot).find((why) => why !== undefined)
  }

  #isCertified(hub: Hub, address: string): boolean {
    const fromMs = this.#certifiedFromMs.get(this.#certificateKey(hub, address))
    return fromMs !== undefined && this.#options.world.clock.nowMs() >= fromMs
  }
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
