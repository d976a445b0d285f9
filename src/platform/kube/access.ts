import { randomBytes } from 'node:crypto'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { LifeboatError, type Secret } from '../../contract/index.js'
import { rememberSecret } from '../log/known.js'
import { OnceEach } from '../once.js'

/** What helm and kubectl are started with: credentials of one cluster and nothing of the operator's machine. */
export interface ClusterAccess {
  readonly flags: readonly string[]
  readonly kubeContext: string
  readonly kubeconfig: string
  readonly env: Readonly<Record<string, string>>
}

export interface AccessOptions {
  /** Private folder of the run (0700), swept when a run ends and when a resume starts. */
  readonly secrets: string
  /** Lists the user credentials of a cluster by its resource id: a kubeconfig. */
  readonly credentials: (cluster: string) => Promise<Secret>
  /** The cloud file's CONNECT proxy. */
  readonly httpsProxy?: string
}

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: Readonly<Record<string, unknown>> }[]
  readonly contexts: readonly object[]
  readonly users?: readonly { readonly user?: Readonly<Record<string, unknown>> }[]
}

const context = 'lifeboat'

/** Lists credentials when they are needed and keeps them in files of mode 0600. */
export class KubeAccess {
  readonly #options: AccessOptions
  readonly #listed = new OnceEach<ClusterAccess>()

  constructor(options: AccessOptions) {
    this.#options = options
  }

  /** Throws `kube.credentials` if what Azure lists is no kubeconfig. */
  to(cluster: string): Promise<ClusterAccess> {
    return this.#listed.get(cluster.toLowerCase(), () => this.#prepare(cluster))
  }

  /** What helm gets for work without a cluster. */
  bareEnv(): Readonly<Record<string, string>> {
    return privateHome(join(this.#options.secrets, 'bare'))
  }

  async #prepare(cluster: string): Promise<ClusterAccess> {
    const { secrets, credentials, httpsProxy } = this.#options
    const home = join(secrets, `kube-${randomBytes(6).toString('hex')}`)
    await mkdir(home, { recursive: true, mode: 0o700 })
    const kubeconfig = join(home, 'config')
    const text = adapted((await credentials(cluster)).reveal(), cluster, httpsProxy)
    // Written beside and renamed: helm must never read half a file.
    await writeFile(`${kubeconfig}.new`, text, { mode: 0o600 })
    await rename(`${kubeconfig}.new`, kubeconfig)
    return {
      kubeconfig,
      kubeContext: context,
      flags: ['--kubeconfig', kubeconfig],
      env: { ...privateHome(home), KUBECONFIG: kubeconfig },
    }
  }
}

/** helm reads `$HOME/.docker/config.json`, kubectl its cache: nothing of the operator's machine may take part (facts/helm-wire). */
export function privateHome(home: string): Record<string, string> {
  return {
    HOME: home,
    KUBECONFIG: join(home, 'no-kubeconfig'),
    KUBECACHEDIR: join(home, 'kube-cache'),
    HELM_CACHE_HOME: join(home, 'helm-cache'),
    HELM_CONFIG_HOME: join(home, 'helm-config'),
    HELM_DATA_HOME: join(home, 'helm-data'),
  }
}

/** One context of a fixed name, and the proxy through which the API server is reached. */
function adapted(text: string, cluster: string, httpsProxy: string | undefined): string {
  const { clusters, contexts, ...rest } = parsed(text, cluster)
  if (httpsProxy === undefined && clusters.some(isPrivate)) throw needsProxy(cluster)
  if (rest.users?.some(({ user }) => user?.['exec'] !== undefined) === true) throw needsKubelogin(cluster)
  for (const { user } of rest.users ?? []) rememberCredentials(user ?? {})
  const reached = clusters.map((one) => ({
    ...one,
    cluster: httpsProxy === undefined ? one.cluster : { ...one.cluster, 'proxy-url': httpsProxy },
  }))
  return stringify({ ...rest, clusters: reached, contexts: [{ ...contexts[0], name: context }], 'current-context': context })
}

/** As they stand in the file, and the key as helm and kubectl have it in memory. */
function rememberCredentials(user: Readonly<Record<string, unknown>>): void {
  for (const field of ['token', 'password', 'client-key-data']) {
    const value = user[field]
    if (typeof value !== 'string') continue
    rememberSecret(value)
    if (field === 'client-key-data') rememberSecret(Buffer.from(value, 'base64').toString('utf8'))
  }
}

/** What the parser would say of a bad one quotes it, credentials and all: no cause. */
function parsed(text: string, cluster: string): Kubeconfig {
  try {
    const config = parse(text) as Partial<Kubeconfig> | null
    if (Array.isArray(config?.clusters) && Array.isArray(config.contexts) && config.contexts.length > 0) return config as Kubeconfig
  } catch {
    // Said below.
  }
  throw new LifeboatError('kube.credentials', `the credentials that Azure lists for ${cluster} are no kubeconfig`)
}

/** The API server of a private cluster has a name in the private link's zone, and no public address (facts/azure). */
function isPrivate({ cluster: { server } }: Kubeconfig['clusters'][number]): boolean {
  return typeof server === 'string' && /\.(privatelink|private)\.[a-z0-9]+\.(azmk8s\.io|cx\.aks\.[a-z.]+)(:|\/|$)/i.test(server)
}

function needsProxy(cluster: string): LifeboatError {
  return new LifeboatError('kube.private', `${cluster.split('/').at(-1) ?? cluster} is a private cluster, and the cloud file names no proxy by which its API server is reached`, {
    blame: 'user',
    hint: 'Write the address of a CONNECT proxy in its network under reach.httpsProxy in the cloud file.',
  })
}

function needsKubelogin(cluster: string): LifeboatError {
  return new LifeboatError('kube.kubelogin', `${cluster.split('/').at(-1) ?? cluster} has no local accounts: its credentials need kubelogin`, {
    blame: 'user',
    hint: 'Lifeboat does not drive kubelogin yet: make the cluster with local accounts.',
  })
}
