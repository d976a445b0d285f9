import type { JsonObject } from '../../contract/index.js'
import type { Platform } from '../../platform/platform.js'
import type { ReleaseInputs } from './release-inputs.js'

/** The release with its address, which its load balancer gets later than helm's own waiting ends (facts/helm-wire). */
export async function addressed(
  { namespace, cluster, addressFrom }: Pick<ReleaseInputs, 'cluster' | 'namespace' | 'addressFrom'>,
  revision: number,
  { kube }: Platform,
) {
  const outputs = { namespace, revision }
  if (addressFrom === undefined) return { state: 'converged' as const, outputs }
  const { service: name } = addressFrom
  const service = await kube.get(cluster, namespace, 'service', name)
  if (service === undefined) {
    return {
      state: 'conflict' as const,
      why: `the release has no service ${name} in ${namespace}`,
      mend: 'Name the LoadBalancer service of this chart under addressFrom.',
    }
  }
  const address = addressOf(service)
  if (address === undefined) return { state: 'in-flight' as const, what: `service ${name} has no public address yet` }
  return { state: 'converged' as const, outputs: { ...outputs, address } }
}

function addressOf(service: JsonObject): string | undefined {
  const status = service['status'] as { loadBalancer?: { ingress?: readonly { ip?: string; hostname?: string }[] } } | undefined
  const [first] = status?.loadBalancer?.ingress ?? []
  return first?.ip ?? first?.hostname
}
