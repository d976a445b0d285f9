import type { IncomingMessage, ServerResponse } from 'node:http'
import { headerOf, largestBody, type KubeCall } from './api/call.js'
import { route, writes, type Outcome } from './api/router.js'
import type { Stream } from './api/watch.js'
import { claimController } from './controllers/claims.js'
import type { AddressAnswer, BalancedService, PodTrouble, Workload } from './controllers/context.js'
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
import { OverHttp } from './over-http.js'
import { KubeError } from './status.js'
import { Store } from './store.js'

export type { KubeCall } from './api/call.js'
export type { Outcome } from './api/router.js'
export type { Stream } from './api/watch.js'
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
  readonly by?: string
  readonly program?: string
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
  /** Can nodes speak to this NFS server, whatever it exports? Asked as canMountNfs is, while a pod that has it ends. Absent: they can. */
  answersNfs?(server: string): boolean
  /** What keeps this workload's pods from being ready, once all that they need is there; asked again every minute. Absent: nothing. */
  podTrouble?(workload: Workload): PodTrouble | undefined
  /**
   * The public address of a service, and after how many world milliseconds it appears (`spec.loadBalancerIP` goes before it); or
   * why there is none. Asked again after a while that doubles.
   */
  loadBalancer(service: BalancedService): AddressAnswer
  releaseAddress(uid: string): void
  /** The bearer token that every request must show. */
  readonly token: string
  /** Called as a request arrives, before it is looked at. */
  readonly onArrival?: (arrival: Pick<KubeRequest, 'method' | 'path'>) => void
  readonly onRequest?: (entry: KubeRequest) => void
  /** Told of whom an API server that is away leaves without an answer. */
  readonly onUnanswered?: (whom: string) => void
  /** Called after every change of an object. */
  readonly onChange?: () => void
  /** Gives a UUID that no other call gives; random ones if absent. */
  readonly uuid?: () => string
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

/** One Kubernetes cluster of a world: its API, for callers in this process and for any server to hand requests to, and its controllers. */
export class KubeCluster {
  readonly #options: KubeOptions
  readonly #store: Store
  readonly #loop: ControllerLoop
  /** What is cut off when the server dies, and is told of nothing from then on. */
  readonly #streams = new Set<() => void>()
  readonly #http = new OverHttp((call) => this.call(call))
  #stopped = false
  #away = false

  constructor(options: KubeOptions) {
    this.#options = options
    const { clock } = options
    this.#store = new Store(() => clock.nowMs(), options.uuid)
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
    void this.#http.handle(request, response)
  }

  /** Answers one request without any connection. Never throws; undefined if the API server is dead. */
  call(call: KubeCall): Outcome | undefined {
    const path = call.url.split('?')[0] ?? '/'
    if (this.#away) this.#options.onUnanswered?.(`${call.method} ${path}`)
    if (this.#stopped || this.#away) return undefined
    this.#options.onArrival?.({ method: call.method, path })
    const outcome = this.#outcome(call)
    const status = 'stream' in outcome ? 200 : outcome.status
    this.#options.onRequest?.({ method: call.method, path, status, writes: writes(call.method, path), ...call.sender })
    return 'stream' in outcome ? { stream: this.#kept(outcome.stream) } : outcome
  }

  /** Something outside has changed: pods that wait for a mount try it again. */
  poke(): void {
    this.#loop.kick()
  }

  /** The API server is dead from now on: every connection is dropped, and the controllers stand still. */
  stop(): void {
    this.#stopped = true
    this.#loop.stop()
    this.#cut()
  }

  get isAway(): boolean {
    return this.#away
  }

  /** The API server is away for a while: the same to every client, until it comes back. */
  goAway(): void {
    this.#away = true
    if (this.#streams.size > 0) this.#options.onUnanswered?.('somebody who was watching')
    this.#cut()
  }

  /** It is there again, with all that it had. */
  comeBack(): void {
    this.#away = false
    this.poke()
  }

  #cut(): void {
    const open = [...this.#streams]
    this.#streams.clear()
    for (const cut of open) cut()
    this.#http.cut()
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

  /** The services with a load balancer. Whether one is ready is worked out when it is asked. */
  services(): KubeService[] {
    const store = this.#store
    return store
      .list(kindOf('services'))
      .filter((service) => (service['spec'] as { type?: string }).type === 'LoadBalancer')
      .map((service) => {
        const address = addressOf(service)
        return {
          namespace: service.metadata.namespace ?? '',
          name: service.metadata.name,
          get ready() {
            return servesFully({ store }, service)
          },
          labels: service.metadata.labels ?? {},
          ...(address === undefined ? {} : { address }),
        }
      })
  }

  /** The store as plain JSON. */
  snapshot(): unknown {
    return { resourceVersion: this.#store.version, objects: structuredClone(this.#store.all()) }
  }

  #outcome(call: KubeCall): Outcome {
    try {
      if (headerOf(call, 'authorization') !== `Bearer ${this.#options.token}`) throw new KubeError(401, 'Unauthorized', 'Unauthorized')
      if (call.body.length > largestBody) throw new KubeError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${largestBody}`)
      return route(this.#store, this.#options.version, call)
    } catch (error) {
      const refusal = error instanceof KubeError ? error : new KubeError(500, 'InternalError', `Internal error occurred: ${text(String(error))}`)
      return { status: refusal.code, body: refusal.body }
    }
  }

  /** A stream that is cut off when the server dies. */
  #kept(stream: Stream): Stream {
    return (sink) => {
      const end = stream(sink)
      const cut = (): void => {
        end()
        sink.cut()
      }
      this.#streams.add(cut)
      return () => {
        this.#streams.delete(cut)
        end()
      }
    }
  }
}
