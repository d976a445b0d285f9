import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { nodeAddressesIn } from './arm/network.js'
import { whyNotServed, type Mounter } from './hubs/nfs.js'
import type { ServedService } from './hubs/hub.js'
import { KubeCluster, type KubeObject } from './kube/cluster.js'
import type { Authority } from './pki.js'
import { addressFor, releaseAddress } from './service-address.js'
import { sameId } from './world/ids.js'
import type { ReleaseState, Resource } from './world/model.js'
import type { World } from './world/world.js'

const defaultReadyMs = 2 * 60_000

interface Running {
  readonly id: string
  readonly fqdn: string
  readonly cluster: Resource
  readonly kube: KubeCluster
  readonly server: Server
}

/** The API servers of the world's managed clusters: those of its file, and one more with each cluster that becomes ready. */
export class KubeRoom {
  readonly #world: World
  readonly #authority: Authority
  readonly #running = new Map<string, Running>()
  /** Namespaces whose pods have begun to start, so that their time stands once among the operations. */
  readonly #starting = new Set<string>()

  constructor(world: World, authority: Authority) {
    this.#world = world
    this.#authority = authority
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
      .filter(({ id, properties }) => properties['provisioningState'] === 'Succeeded' && !spec.deadApiServers.some((dead) => sameId(dead, id)))
    await Promise.all(alive.map((cluster) => this.#open(cluster)))
  }

  releases(): ReleaseState[] {
    return [...this.#running.values()].flatMap(({ id, kube }) => kube.releases().map((release) => ({ cluster: id, ...release })))
  }

  services(): readonly ServedService[] {
    return [...this.#running.values()].flatMap(({ kube, cluster }) =>
      kube.services().map(({ namespace, address, ready }) => ({
        namespace,
        ready,
        from: mounterOf(this.#world, cluster),
        volumes: volumesOf(kube, namespace),
        ...(address === undefined ? {} : { address }),
      })),
    )
  }

  async stop(): Promise<void> {
    for (const id of [...this.#running.keys()]) this.#close(id)
  }

  async #open(cluster: Resource): Promise<void> {
    const world = this.#world
    const fqdn = String(cluster.properties['fqdn'])
    const kube = new KubeCluster({
      clock: world.clock,
      version: String(cluster.properties['kubernetesVersion']),
      token: world.clusterToken(cluster.id),
      readyAfterMs: ({ kind, namespace }) => (kind === 'Job' ? defaultReadyMs : this.#readyAfterMs(cluster.id, namespace)),
      canMountNfs: (server, path) => whyNotServed(world, mounterOf(world, cluster), server, path) === undefined,
      loadBalancer: (service) => addressFor(world, cluster, service),
      releaseAddress: (uid) => releaseAddress(world, cluster, uid),
      onRequest: (entry) => world.log({ door: 'kube', ...entry }),
      onChange: () => world.changed(),
    })
    const { cert, key } = this.#authority.issue([fqdn])
    const server = createServer({ cert, key }, (request, response) => kube.handle(request, response))
    // Node's five seconds would cut off a helm that has waited for pods, at the moment in which it records that they are there.
    server.keepAliveTimeout = 120_000
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    this.#running.set(cluster.id.toLowerCase(), { id: cluster.id, fqdn, cluster, kube, server })
    world.routes.set(`${fqdn}:443`, (server.address() as AddressInfo).port)
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
    const running = this.#running.get(id.toLowerCase())
    if (running === undefined) return
    this.#running.delete(id.toLowerCase())
    this.#world.routes.delete(`${running.fqdn}:443`)
    running.kube.stop()
    running.server.closeAllConnections()
    running.server.close()
  }
}

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
function volumesOf(kube: KubeCluster, namespace: string): { server: string; path: string }[] {
  return kube.objects('PersistentVolume').flatMap((volume: KubeObject) => {
    const { nfs, claimRef } = (volume['spec'] ?? {}) as {
      nfs?: { server: string; path: string }
      claimRef?: { namespace?: string }
    }
    return nfs !== undefined && claimRef?.namespace === namespace ? [{ server: nfs.server, path: nfs.path }] : []
  })
}
