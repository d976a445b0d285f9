import { startNameServers } from './dns/server.js'
import { startHosts } from './hosts/server.js'
import { Hubs } from './hubs/hub.js'
import { startProxy } from './hubs/proxy.js'
import { KubeRoom } from './kube-room.js'
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
  stop(): Promise<void>
}

/** Starts everything of a world that is not its resource manager. */
export async function startRooms(world: World, authority: Authority): Promise<Rooms> {
  const kube = new KubeRoom(world, authority)
  const hubs = new Hubs({ world, authority, services: () => kube.services() })
  world.sources.releases = () => kube.releases()
  world.sources.hubs = () => hubs.states()
  await kube.start()
  await hubs.refresh()
  world.onChange.add(() => void hubs.refresh())
  const [names, proxy, hosts] = await Promise.all([startNameServers(world), startProxy(world), startHosts(world)])
  return {
    reach: { httpsProxy: proxy.url, nameServers: names.nameServers, ssh: hosts.ssh },
    stop: async () => {
      await Promise.all([names.stop(), proxy.stop(), hosts.stop(), hubs.stop(), kube.stop()])
    },
  }
}
