import { createServer } from 'node:https'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { Secret } from '../../src/contract/index.js'
import { clockOf } from '../../src/platform/clock/clock.js'
import { openHelm } from '../../src/platform/helm/helm.js'
import { KubeAccess } from '../../src/platform/kube/access.js'
import { openKube } from '../../src/platform/kube/kubectl.js'
import { findTools } from '../../src/platform/kube/tools.js'
import type { ChildLog } from '../../src/platform/scope.js'
import { KubeCluster, type KubeOptions, type KubeRequest } from '../../src/sim/kube/cluster.js'
import { makeAuthority } from '../../src/sim/pki.js'
import { scaledClock } from '../../src/sim/world/clock.js'
import { execFor } from './doors.js'
import { planted } from './leaks.js'

export const cluster = '/subscriptions/5e1d1a2c-0100-4d47-9c19-201902251121/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c'

/** What lets anybody in. */
export const clusterToken = planted('of-the-cluster')

/** A cluster with quick pods, of which those with homes start only while these can be mounted. */
export function clusterWhere(
  state: { readonly mountable: boolean },
  options: Pick<KubeOptions, 'clock' | 'onRequest' | 'onChange'> & Partial<Pick<KubeOptions, 'readyAfterMs'>>,
): KubeCluster {
  return new KubeCluster({
    version: '1.33.2',
    readyAfterMs: () => 1000,
    canMountNfs: () => state.mountable,
    loadBalancer: () => ({ address: '203.0.113.1', afterMs: 30_000 }),
    releaseAddress: () => undefined,
    token: clusterToken,
    ...options,
  })
}

/** A Kubernetes API on loopback whose pods become ready only while `mountable`, and real helm and kubectl to reach it. */
export async function kubeServer() {
  const clock = scaledClock(Date.parse('2019-02-25T19:34:00Z'), 60)
  const state = { mountable: true, token: clusterToken }
  const folders: string[] = []
  const watchers = new Set<() => void>()
  const listeners = new Set<(request: { readonly method: string; readonly path: string }) => void>()
  const requests: KubeRequest[] = []
  const authority = makeAuthority('test', Date.now())
  const kube = clusterWhere(state, {
    clock,
    onRequest: (request) => {
      requests.push(request)
      for (const listen of [...listeners]) listen(request)
    },
    onChange: () => {
      for (const watch of [...watchers]) watch()
    },
  })
  const server = createServer(authority.issue(['localhost']), (request, response) => kube.handle(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `https://localhost:${(server.address() as AddressInfo).port}`
  const kubeconfig = (): string =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server: url, 'certificate-authority-data': Buffer.from(authority.pem).toString('base64') } }],
      contexts: [{ name: 'of-azure', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'of-azure',
      users: [{ name: 'u', user: { token: state.token } }],
    })

  /** The doors of one life of a run. */
  const doors = (children?: ChildLog, leastRealMs = 60_000) => {
    const { exec, secrets } = execFor(children)
    folders.push(secrets)
    const access = new KubeAccess({ secrets, credentials: async () => new Secret(kubeconfig()) })
    const tools = findTools(exec, { PATH: process.env['PATH'] })
    return {
      secrets,
      kube: openKube({ exec, access, tools, clock: clockOf({}) }),
      helm: openHelm({ exec, access, tools, clock: clockOf({}), secrets, leastRealMs }),
    }
  }
  return {
    kube,
    state,
    /** Everything that the API was asked. */
    requests,
    doors,
    /** The private folders of all doors that were opened. */
    folders,
    /** Nobody listens any more. */
    down: () => {
      // A connection in the midst of its handshake is none yet that could be closed: it would be served, and for ever.
      kube.stop()
      server.closeAllConnections()
      server.close()
    },
    /** Resolves after `act`, which is called at the very change that brings the newest revision of a release into this status. */
    atStatus: (name: string, status: string, act: () => void): Promise<void> =>
      new Promise((resolve) => {
        const watch = (): void => {
          if (!kube.releases().some((one) => one.name === name && one.status === status)) return
          watchers.delete(watch)
          act()
          resolve()
        }
        watchers.add(watch)
      }),
    /** Resolves at the next request of this method whose path ends so. */
    requested: (method: string, end: string): Promise<void> =>
      new Promise((resolve) => {
        const listen = (request: { readonly method: string; readonly path: string }): void => {
          if (request.method !== method || !request.path.endsWith(end)) return
          listeners.delete(listen)
          resolve()
        }
        listeners.add(listen)
      }),
    setMountable: (mountable: boolean) => {
      state.mountable = mountable
      kube.poke()
    },
    async [Symbol.asyncDispose]() {
      kube.stop()
      clock.stop()
      server.closeAllConnections()
      server.close()
    },
  }
}
