import { z } from 'zod'
import { durationMs, file, isPending, resourceId, type Change, type Finding, type Inverse, type JsonObject, type PlanInputs } from '../contract/index.js'
import type { ReleaseName, Revision } from '../platform/helm/door.js'
import type { Platform } from '../platform/platform.js'
import { kubectlFindings } from './parts/kube.js'
import { naming } from './parts/naming.js'
import { isMaking, together } from './parts/readiness.js'
import { claim, defineStep, known, minutes, seconds } from './step.js'

/** Names as helm and Kubernetes take them. */
const label = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,51}[a-z0-9])?$/, 'lower-case letters, digits and -, 53 at most')

const inputs = z.strictObject({
  /** Resource id of the cluster. */
  cluster: resourceId,
  namespace: label,
  release: label,
  chart: file,
  values: z.record(z.string(), z.unknown()).default({}),
  /** The LoadBalancer Service whose address is the release's. */
  addressFrom: z.strictObject({ service: z.string() }).optional(),
  timeout: durationMs.default(30 * minutes),
})
type Inputs = z.infer<typeof inputs>

/** The newest revision, and the newest that ever came to a good end. */
interface Seen {
  readonly revision: number
  readonly status: string
  /** Undefined: installing it is still the creation that was shown, however often it was tried. */
  readonly served?: number
}

const nameIn = ({ namespace, release }: Pick<PlanInputs<Inputs>, 'namespace' | 'release'>): string =>
  `release ${naming(namespace, 'namespace')}/${naming(release, 'release')}`

/**
 * A helm release, waited for until its pods are ready and its load balancer has an address. A digest of chart and values
 * stands in its description: a release with another one is not what is wanted. What an interrupted helm left behind
 * (facts/helm-wire) is cleared as part of the change that follows, and shown as its state before.
 */
export const helmRelease = defineStep({
  uses: 'helm/release',
  summary: 'A helm release, installed or upgraded, and the address it answers at',
  inputs,
  outputs: z.object({ namespace: z.string(), revision: z.number(), address: z.string().optional() }),
  identity: ['cluster', 'namespace', 'release', 'chart', 'values', 'addressFrom'],
  verification: ({ timeout }) => ({ everyMs: 5 * seconds, withinMs: timeout }),
  preflight: (changes, wanted, { doors }) =>
    together(helmFindings(doors), clusterFindings(wanted, doors), isMaking(changes) ? chartFindings(wanted, doors) : Promise.resolve([])),
  async observe(wanted, { doors }) {
    const history = await doors.helm.history(nameOf(wanted))
    const newest = history.at(-1)
    if (newest === undefined || newest.status === 'uninstalled') return { state: 'absent' }
    if (newest.status !== 'deployed' || newest.description !== (await descriptionOf(wanted, doors))) {
      return { state: 'drifted', seen: seenOf(newest, history) }
    }
    return addressed(wanted, newest, doors)
  },
  plan(wanted, seen: { state: 'absent' } | { state: 'drifted'; seen: Seen }): Change[] {
    const after = { chart: wanted.chart, values: isPending(wanted.values) ? wanted.values : (wanted.values as JsonObject) }
    if (seen.state === 'absent') return [{ resource: nameIn(wanted), action: 'create', after }]
    const { revision, status, served } = seen.seen
    const before = { revision, status, ...(served === undefined ? {} : { served }) }
    return [{ resource: nameIn(wanted), action: served === undefined ? 'create' : 'update', before, after }]
  },
  async apply(changes, wanted, ctx) {
    const { doors, signal } = ctx
    const name = nameOf(wanted)
    const wish = { timeoutMs: wanted.timeout, signal }
    for (const change of changes) {
      await recover(name, wanted.timeout, doors, signal)
      if (change.action === 'delete') {
        await doors.helm.uninstall(name, wish)
      } else if (isRollback(change)) {
        await doors.helm.rollback(name, change.after.rollback, wish)
      } else {
        const description = await descriptionOf(wanted, doors)
        await ctx.checkpoint({ helm: `upgrade --install ${wanted.release}` })
        ctx.progress(`helm installs ${wanted.release} and waits for its pods`)
        await doors.helm.upgrade(name, { path: wanted.chart, values: wanted.values as JsonObject, description }, wish)
      }
    }
  },
  invert: (changes) => changes.map(inverse),
  // A rollback is a revision of its own.
  isBack: (then, now) => then.action === now.action && (now.action === 'create' || statusIn(now.before) === 'deployed'),
  claims: ({ cluster, namespace, release }) => [claim('release', `${known(cluster)}/${known(namespace)}/${known(release)}`)],
  estimateMs: () => 10 * minutes,
})

/** Throws `helm.missing` and `helm.version`. */
async function helmFindings({ helm }: Platform): Promise<readonly Finding[]> {
  await helm.version()
  return []
}

/** kubectl is there, and fits the cluster where that exists already. Throws `kubectl.missing`. */
async function clusterFindings({ cluster }: PlanInputs<Inputs>, doors: Platform): Promise<readonly Finding[]> {
  await doors.kube.version()
  if (isPending(cluster)) return []
  return kubectlFindings((await doors.azure.clusters.get(cluster))?.kubernetesVersion, doors)
}

/** Throws `helm.chart` for a chart that cannot be rendered with these values. */
async function chartFindings({ namespace, release, chart, values }: PlanInputs<Inputs>, { helm }: Platform): Promise<readonly Finding[]> {
  if (isPending(namespace) || isPending(release) || isPending(chart) || isPending(values)) return []
  await helm.template({ namespace, name: release }, { path: chart, values: values as JsonObject })
  return []
}

function nameOf({ cluster, namespace, release }: Pick<Inputs, 'cluster' | 'namespace' | 'release'>): ReleaseName {
  return { cluster, namespace, name: release }
}

async function descriptionOf({ chart, values }: Pick<Inputs, 'chart' | 'values'>, { helm }: Platform): Promise<string> {
  return `lifeboat ${await helm.digest({ path: chart, values: values as JsonObject })}`
}

function seenOf({ revision, status }: Revision, history: readonly Revision[]): Seen {
  const served = history.findLast((one) => one.status === 'deployed' || one.status === 'superseded')?.revision
  return { revision, status, ...(served === undefined ? {} : { served }) }
}

async function addressed(
  { namespace, cluster, addressFrom }: Pick<Inputs, 'cluster' | 'namespace' | 'addressFrom'>,
  { revision }: Revision,
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

/** An installation is put back by uninstalling, an upgrade by rolling back to the revision that served before it. */
function inverse({ resource, action, before, after }: Change): Inverse {
  if (action === 'create') return { resource, action: 'delete', ...(after === undefined ? {} : { before: after }), harm: 'users of this release lose it' }
  const served = (before as Seen | undefined)?.served
  if (action === 'delete' || served === undefined) return { resource, irreversible: 'no revision is left to go back to' }
  return { resource, action: 'update', ...(after === undefined ? {} : { before: after }), after: { rollback: served } }
}

function statusIn(before: Change['before']): unknown {
  return typeof before === 'object' && before !== null && 'status' in before ? before.status : undefined
}

function isRollback(change: Change): change is Change & { readonly after: { readonly rollback: number } } {
  const { action, after } = change
  return action === 'update' && typeof after === 'object' && after !== null && 'rollback' in after
}

/**
 * Clears what an interrupted helm leaves behind, so that the next one is let in. Whoever was at work is gone by now: the
 * engine has ended or awaited all children before anything is written.
 */
async function recover(name: ReleaseName, timeoutMs: number, { helm, kube }: Platform, signal: AbortSignal): Promise<void> {
  const newest = (await helm.history(name)).at(-1)
  if (newest === undefined) return
  if (newest.status === 'uninstalling') return helm.uninstall(name, { timeoutMs, signal })
  if (!newest.status.startsWith('pending-')) return
  // Only the record of the revision that never came about; its objects are taken over by the next one.
  await kube.delete(name.cluster, name.namespace, 'secret', `sh.helm.release.v1.${name.name}.v${newest.revision}`)
}
