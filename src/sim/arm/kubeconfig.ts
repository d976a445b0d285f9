import type { Resource } from '../world/model.js'
import type { World } from '../world/world.js'

/** The kubeconfigs that a list of credentials answers with: a file in base64, its context named after the cluster. */
export function kubeconfigs(
  world: World,
  cluster: Resource,
  user: 'clusterUser' | 'clusterAdmin',
  authorityPem: string,
): { name: string; value: string }[] {
  const group = cluster.id.split('/')[4] ?? ''
  const userName = `${user}_${group}_${cluster.name}`
  const context = user === 'clusterAdmin' ? `${cluster.name}-admin` : cluster.name
  // JSON is YAML, and needs no library to be right.
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: cluster.name,
        cluster: {
          server: `https://${String(cluster.properties['fqdn'])}:443`,
          'certificate-authority-data': Buffer.from(authorityPem).toString('base64'),
        },
      },
    ],
    contexts: [{ name: context, context: { cluster: cluster.name, user: userName } }],
    'current-context': context,
    preferences: {},
    users: [{ name: userName, user: loginOf(world, cluster) }],
  }
  return [{ name: user, value: Buffer.from(JSON.stringify(config, null, 2)).toString('base64') }]
}

/** Without local accounts there is no token to give: who logs in is asked for by kubelogin. */
function loginOf(world: World, cluster: Resource): unknown {
  if (cluster.properties['disableLocalAccounts'] !== true) return { token: world.clusterToken(cluster.id) }
  const args = ['get-token', '--login', 'devicecode', '--server-id', '6dae42f8-4368-4678-94ff-3960e28e3630', '--tenant-id', world.spec.tenant]
  return { exec: { apiVersion: 'client.authentication.k8s.io/v1beta1', command: 'kubelogin', args, provideClusterInfo: false } }
}
