import { startNameServers } from './dns/server.js'
import { startHosts } from './hosts/server.js'
import { Hubs } from './hubs/hub.js'
import { HubServers } from './hubs/server.js'
import { startProxy } from './hubs/proxy.js'
import { KubeRoom } from './kube-room.js'
import { clusterServers } from './kube-servers.js'
import type { Authority } from './pki.js'
import type { World } from './world/world.js'

/** How clients come to what lies behind the resource manager: the cloud file's `reach`. */
export interface Reach {
  readonly httpsProxy?: string
  readonly nameServers: Readonly<Record<string, string>>
  readonly ssh: Awaited<ReturnType<typeof startHosts>>['ssh']
}

export interface Rooms {
  readonly reach: Reach
  readonly kube: KubeRoom
  readonly hubs: Hubs
  stop(): Promise<void>
}

/** Starts everything of a world that is not its resource manager. */
export async function startRooms(world: World, authority: Authority): Promise<Rooms> {
  const kube = new KubeRoom(world, clusterServers(world, authority))
  const hubs = new Hubs({ world, services: () => kube.services() })
  const servers = new HubServers(world, hubs, authority)
  const refresh = async (): Promise<void> => {
    hubs.refresh()
    await servers.refresh()
  }
  world.sources.releases = () => kube.releases()
  world.sources.hubs = () => hubs.states()
  await kube.start()
  await refresh()
  world.onChange.add(() => void refresh())
  const [names, proxy, hosts] = await Promise.all([startNameServers(world), startProxy(world), startHosts(world)])
  return {
    reach: { httpsProxy: proxy.url, nameServers: names.nameServers, ssh: hosts.ssh },
    kube,
    hubs,
    stop: async () => {
      await Promise.all([names.stop(), proxy.stop(), hosts.stop(), servers.stop(), kube.stop()])
    },
  }
}
