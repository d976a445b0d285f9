import { nodeAddressesIn } from './arm/network.js'
import { whyNoAnswer, whyNotServed, type Mounter } from './hubs/nfs.js'
import type { ServedService, ServedVolume } from './hubs/hub.js'
import { KubeCluster, type KubeObject } from './kube/cluster.js'
import type { PodTrouble } from './kube/controllers/context.js'
import { addressFor, releaseAddress } from './service-address.js'
import { sameId } from './world/ids.js'
import { seededUuid } from './world/keys.js'
import type { ReleaseState, Resource } from './world/model.js'
import type { World } from './world/world.js'

const defaultReadyMs = 2 * 60_000

interface Running {
  readonly id: string
  readonly fqdn: string
  readonly cluster: Resource
  readonly kube: KubeCluster
}

/** Lets a cluster's API be reached over a network, under this name; what it gives ends that. */
export type ServeCluster = (fqdn: string, kube: KubeCluster) => Promise<() => void>

/** The API servers of the world's managed clusters: those of its file, and one more with each cluster that becomes ready. */
export class KubeRoom {
  readonly #world: World
  readonly #serve: ServeCluster | undefined
  readonly #running = new Map<string, Running>()
  readonly #closing = new Map<string, () => void>()
  /** Namespaces whose pods have begun to start, so that their time stands once among the operations. */
  readonly #starting = new Set<string>()
  #opened = 0

  /** Without `serve` clusters are reached in this process only, by `at`. */
  constructor(world: World, serve?: ServeCluster) {
    this.#world = world
    this.#serve = serve
    world.onClusterReady.add((cluster) => void this.#open(cluster))
    world.onClusterGone.add((cluster) => this.#close(cluster.id))
    world.onChange.add(() => {
      for (const { kube } of this.#running.values()) kube.poke()
    })
  }

  /** Those that the world's file has, but for the dead. Clusters that come later appear by themselves. */
  async start(): Promise<void> {
    const { spec } = this.#world
    const alive = this.#world
      .ofType('Microsoft.ContainerService/managedClusters')
      .filter(({ properties }) => properties['provisioningState'] === 'Succeeded' && !isStopped(properties))
      .filter(({ id }) => !spec.deadApiServers.some((dead) => sameId(dead, id)))
    await Promise.all(alive.map((cluster) => this.#open(cluster)))
  }

  /** The API at a name (`data100-dns-….hcp.westus2.azmk8s.io`), if one answers there. */
  at(fqdn: string): KubeCluster | undefined {
    return [...this.#running.values()].find((one) => one.fqdn.toLowerCase() === fqdn.toLowerCase())?.kube
  }

  /** The same by the cluster's own name; the newest, if there are more of it. */
  called(name: string): { readonly id: string; readonly kube: KubeCluster } | undefined {
    return [...this.#running.values()].findLast(({ id }) => id.toLowerCase().endsWith(`/${name.toLowerCase()}`))
  }

  releases(): ReleaseState[] {
    return [...this.#running.values()].flatMap(({ id, kube }) => kube.releases().map((release) => ({ cluster: id, ...release })))
  }

  /** How pods are, where, and what they mount is worked out when it is asked: most look for an address only, at everything that changes. */
  services(): readonly ServedService[] {
    const world = this.#world
    return [...this.#running.values()].flatMap(({ kube, cluster }) =>
      kube.services().map((service) => ({
        namespace: service.namespace,
        get ready() {
          return service.ready
        },
        get from() {
          return mounterOf(world, cluster)
        },
        get volumes() {
          return volumesOf(kube, service.namespace)
        },
        ...(service.address === undefined ? {} : { address: service.address }),
      })),
    )
  }

  async stop(): Promise<void> {
    for (const id of [...this.#running.keys()]) this.#close(id)
  }

  async #open(cluster: Resource): Promise<void> {
    const world = this.#world
    const fqdn = String(cluster.properties['fqdn'])
    const opened = (this.#opened += 1)
    let made = 0
    const kube = new KubeCluster({
      clock: world.clock,
      version: String(cluster.properties['kubernetesVersion']),
      token: world.clusterToken(cluster.id),
      readyAfterMs: ({ kind, namespace }) => (kind === 'Job' ? defaultReadyMs : this.#readyAfterMs(cluster.id, namespace)),
      canMountNfs: (server, path) => whyNotServed(world, mounterOf(world, cluster), server, path, 'a mount') === undefined,
      answersNfs: (server) => whyNoAnswer(world, mounterOf(world, cluster), server, 'an unmount') === undefined,
      podTrouble: ({ namespace, name }) => this.#podTrouble(namespace, name),
      loadBalancer: (service) => addressFor(world, cluster, service),
      releaseAddress: (uid) => releaseAddress(world, cluster, uid),
      onArrival: (arrival) => world.arrived({ door: 'kube', ...arrival }),
      onRequest: (entry) => world.log({ door: 'kube', ...entry }),
      onUnanswered: (whom) => world.hindrances.meets('api server', cluster.id, whom),
      onChange: () => world.changed(),
      uuid: () => seededUuid(`object ${opened} ${(made += 1)}`),
    })
    const key = cluster.id.toLowerCase()
    this.#running.set(key, { id: cluster.id, fqdn, cluster, kube })
    const close = await this.#serve?.(fqdn, kube)
    if (close === undefined) return
    if (this.#running.get(key)?.kube === kube) this.#closing.set(key, close)
    else close()
  }

  #podTrouble(namespace: string, workload: string): PodTrouble | undefined {
    const trouble = this.#world.podTroubles.get(`${namespace}/${workload}`)
    trouble?.met?.()
    return trouble?.is
  }

  /**
   * What the world file says of the namespace's servers (a hook's Job is a short one); it stands among the operations from
   * when the first pods start.
   */
  #readyAfterMs(cluster: string, namespace: string): number {
    const world = this.#world
    const stated = world.spec.podsReady[namespace]
    const key = `${cluster} ${namespace}`.toLowerCase()
    if (stated !== undefined && !this.#starting.has(key)) {
      this.#starting.add(key)
      world.begin('pods', namespace, stated, () => undefined)
    }
    return stated ?? defaultReadyMs
  }

  #close(id: string): void {
    const key = id.toLowerCase()
    this.#running.get(key)?.kube.stop()
    this.#closing.get(key)?.()
    this.#running.delete(key)
    this.#closing.delete(key)
  }
}

const isStopped = ({ powerState }: Resource['properties']): boolean => (powerState as { code?: unknown } | undefined)?.code === 'Stopped'

/** A cluster's nodes as an NFS server sees them. Its pools may change while it lives. */
function mounterOf(world: World, cluster: Resource): Mounter {
  const pools = (cluster.properties['agentPoolProfiles'] ?? []) as { vnetSubnetID?: string }[]
  const subnets = [...new Set(pools.flatMap(({ vnetSubnetID }) => vnetSubnetID ?? []))]
  return {
    networks: subnets.map((subnet) => subnet.replace(/\/subnets\/[^/]+$/i, '')),
    nodes: subnets.flatMap((subnet) => nodeAddressesIn(world, subnet, cluster)),
  }
}

/** The NFS volumes bound to claims of a namespace. */
function volumesOf(kube: KubeCluster, namespace: string): ServedVolume[] {
  return kube.objects('PersistentVolume').flatMap((volume: KubeObject) => {
    const { nfs, claimRef, accessModes = [] } = (volume['spec'] ?? {}) as {
      nfs?: { server: string; path: string; readOnly?: boolean }
      claimRef?: { namespace?: string }
      accessModes?: string[]
    }
    if (nfs === undefined || claimRef?.namespace !== namespace) return []
    const readOnly = nfs.readOnly === true || (accessModes.length > 0 && accessModes.every((mode) => mode === 'ReadOnlyMany'))
    return [{ server: nfs.server, path: nfs.path, readOnly }]
  })
}
