import { isPending, type Finding, type Pending } from '../../contract/index.js'
import type { Platform } from '../../platform/platform.js'

/**
 * kubectl is supported one minor version away from the API server, older or newer (kubernetes.io, version skew policy).
 * `version` is the server's, as `1.33.2` or `1.33`; while it is not known there is nothing to compare.
 */
export async function kubectlFindings(version: string | Pending | undefined, { kube }: Pick<Platform, 'kube'>): Promise<Finding[]> {
  const server = version === undefined || isPending(version) ? undefined : minorOf(version)
  if (server === undefined) return []
  const { path, version: own } = await kube.version()
  const client = minorOf(own)
  if (client === undefined || (client.major === server.major && Math.abs(client.minor - server.minor) <= 1)) return []
  const wanted = `${server.major}.${server.minor}`
  return [
    {
      level: 'warn',
      what: `${path} is kubectl ${own.replace(/^v/, '')}, more than one minor version away from Kubernetes ${wanted}`,
      mend: `Install kubectl ${wanted} (az aks install-cli --client-version ${wanted}.0), or name one with LIFEBOAT_KUBECTL.`,
    },
  ]
}

function minorOf(version: string): { readonly major: number; readonly minor: number } | undefined {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version) ?? []
  return major === undefined || minor === undefined ? undefined : { major: Number(major), minor: Number(minor) }
}
