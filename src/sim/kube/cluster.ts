import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { route, writes, type Outcome } from './api/router.js'
import { claimController } from './controllers/claims.js'
import type { AddressAnswer, BalancedService, Workload } from './controllers/context.js'
import { daemonSetController } from './controllers/daemonsets.js'
import { deploymentController } from './controllers/deployments.js'
import { garbageController } from './controllers/garbage.js'
import { jobController } from './controllers/jobs.js'
import { ControllerLoop } from './controllers/loop.js'
import { budgetController, namespaceController } from './controllers/namespaces.js'
import { populate } from './controllers/nodes.js'
import { podController } from './controllers/pods.js'
import { replicaSetController } from './controllers/replicas.js'
import { addressOf, serviceController, servesFully } from './controllers/services.js'
import { statefulSetController } from './controllers/statefulsets.js'
import { kindOf } from './kinds.js'
import { text, type KubeObject } from './object.js'
import { KubeError } from './status.js'
import { Store } from './store.js'

export type { KubeObject } from './object.js'

export interface KubeClock {
  nowMs(): number
  /** Runs after world milliseconds; the answer cancels it. */
  schedule(delayMs: number, run: () => void): () => void
}

export interface KubeRequest {
  readonly method: string
  readonly path: string
  readonly status: number
  /** The world's own judgement. */
  readonly writes: boolean
}

export interface KubeOptions {
  readonly clock: KubeClock
  /** `1.33.2` */
  readonly version: string
  /**
   * World milliseconds from when a pod of this workload can start (its volumes are there) until it is ready; for a Job until it
   * has ended. Asked when a pod starts. Later pods of the same workload take at most a minute.
   */
  readyAfterMs(workload: Workload): number
  /** May a node mount this export now? Asked again on `poke()`, and every ten world seconds while a pod waits. */
  canMountNfs(server: string, path: string): boolean
  /**
   * The public address of a service, and after how many world milliseconds it appears (`spec.loadBalancerIP` goes before it); or
   * why there is none. Asked again after a while that doubles.
   */
  loadBalancer(service: BalancedService): AddressAnswer
  releaseAddress(uid: string): void
  /** The bearer token that every request must show. */
  readonly token: string
  readonly onRequest?: (entry: KubeRequest) => void
  /** Called after every change of an object. */
  readonly onChange?: () => void
}

export interface HelmRelease {
  readonly namespace: string
  readonly name: string
  readonly revision: number
  readonly status: string
}

export interface KubeService {
  readonly namespace: string
  readonly name: string
  readonly address?: string
  /** Is every pod of the workloads that it selects ready, with none missing? */
  readonly ready: boolean
  readonly labels: Record<string, string>
}

/** One Kubernetes cluster of a world: its API, for any server to hand requests to, and its controllers. */
export class KubeCluster {
  readonly #options: KubeOptions
  readonly #store: Store
  readonly #loop: ControllerLoop
  readonly #sockets = new Set<Socket>()
  #stopped = false

  constructor(options: KubeOptions) {
    this.#options = options
    const { clock } = options
    this.#store = new Store(() => clock.nowMs())
    populate(this.#store, options.version)
    this.#loop = new ControllerLoop(this.#store, options, clock, [
      namespaceController,
      deploymentController(),
      replicaSetController,
      statefulSetController,
      daemonSetController,
      jobController,
      claimController(),
      podController(),
      serviceController(),
      budgetController,
      garbageController,
    ])
    const { onChange } = options
    if (onChange) this.#store.listeners.add(() => onChange())
    this.#loop.kick()
  }

  /** Answers one request. Never throws. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request
    if (this.#stopped) {
      socket.destroy()
      return
    }
    if (!this.#sockets.has(socket)) {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    }
    void this.#answer(request, response)
  }

  /** Something outside has changed: pods that wait for a mount try it again. */
  poke(): void {
    this.#loop.kick()
  }

  /** The API server is dead from now on: every connection is dropped, and the controllers stand still. */
  stop(): void {
    this.#stopped = true
    this.#loop.stop()
    // Cut off, not ended: a stream that ends in order would say that all is well.
    for (const socket of this.#sockets) socket.destroy()
    this.#sockets.clear()
  }

  /** From the secrets in which helm keeps its releases: the newest revision of each. */
  releases(): HelmRelease[] {
    const newest = new Map<string, HelmRelease>()
    for (const { metadata } of this.#store.list(kindOf('secrets'))) {
      const { owner, name = '', version = '', status = '' } = metadata.labels ?? {}
      if (owner !== 'helm') continue
      const release = { namespace: metadata.namespace ?? '', name, revision: Number(version), status }
      const key = `${release.namespace} ${name}`
      if ((newest.get(key)?.revision ?? 0) < release.revision) newest.set(key, release)
    }
    return [...newest.values()]
  }

  /** All objects, or those of a kind (`Deployment`). Not to be changed. */
  objects(kind?: string): readonly KubeObject[] {
    return this.#store.all().filter((one) => kind === undefined || one.kind === kind)
  }

  /** The services with a load balancer. */
  services(): KubeService[] {
    return this.#store
      .list(kindOf('services'))
      .filter((service) => (service['spec'] as { type?: string }).type === 'LoadBalancer')
      .map((service) => {
        const address = addressOf(service)
        return {
          namespace: service.metadata.namespace ?? '',
          name: service.metadata.name,
          ready: servesFully({ store: this.#store }, service),
          labels: service.metadata.labels ?? {},
          ...(address === undefined ? {} : { address }),
        }
      })
  }

  /** The store as plain JSON. */
  snapshot(): unknown {
    return { resourceVersion: this.#store.version, objects: structuredClone(this.#store.all()) }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = request.method ?? 'GET'
    const path = (request.url ?? '/').split('?')[0] ?? '/'
    let outcome: Outcome
    try {
      if (request.headers.authorization !== `Bearer ${this.#options.token}`) {
        request.resume()
        throw new KubeError(401, 'Unauthorized', 'Unauthorized')
      }
      outcome = await route(this.#store, this.#options.version, request, response)
    } catch (error) {
      const refusal = error instanceof KubeError ? error : new KubeError(500, 'InternalError', `Internal error occurred: ${text(String(error))}`)
      outcome = { status: refusal.code, body: refusal.body }
    }
    this.#options.onRequest?.({ method, path, status: 'streaming' in outcome ? 200 : outcome.status, writes: writes(method, path) })
    if ('streaming' in outcome) {
      response.once('close', outcome.streaming)
      return
    }
    send(response, outcome)
  }
}

function send(response: ServerResponse, outcome: Exclude<Outcome, { streaming: unknown }>): void {
  const { status, body, contentType = 'application/json', warnings = [] } = outcome
  if (response.destroyed) return
  // RFC 7234: code, agent, text; kubectl prints them.
  if (warnings.length > 0) response.setHeader('warning', warnings.map((one) => `299 - ${JSON.stringify(one)}`))
  response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-cache, private' })
  response.end(typeof body === 'string' ? body : JSON.stringify(body))
}
