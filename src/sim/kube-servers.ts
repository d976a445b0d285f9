import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { ServeCluster } from './kube-room.js'
import type { Authority } from './pki.js'
import type { World } from './world/world.js'

/** Serves each cluster's API over HTTPS on loopback, at a route of its own. */
export function clusterServers(world: World, authority: Authority): ServeCluster {
  return async (fqdn, kube) => {
    const server = createServer(authority.issue([fqdn]), (request, response) => kube.handle(request, response))
    // Node's five seconds would cut off a helm that has waited for pods, at the moment in which it records that they are there.
    server.keepAliveTimeout = 120_000
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    world.routes.set(`${fqdn}:443`, (server.address() as AddressInfo).port)
    return () => {
      world.routes.delete(`${fqdn}:443`)
      server.closeAllConnections()
      server.close()
    }
  }
}
