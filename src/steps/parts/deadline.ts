import { LifeboatError, type ApplyContext, type JsonObject } from '../../contract/index.js'
import type { ReleaseName } from '../../platform/helm/door.js'
import type { Platform } from '../../platform/platform.js'
import { seconds } from '../step.js'
import { keptPods, type Kept } from './pods.js'

/** Milliseconds of the run's clock between two looks at the deployments. */
const lookMs = 15 * seconds

/**
 * helm 4 ends as soon as a deployment has made no progress for `progressDeadlineSeconds` (600 unless the chart says otherwise), and at
 * once where it has not for that long already: whatever timeout it was given (rule K15). Its pods go on meanwhile, and slow images or a
 * server that comes back late are common in a failover. So what is left of the patience that the runbook states, until `untilMs` of the
 * run's clock, is waited out here: once none of the release's deployments is past its deadline, the error is one to be tried again. Any
 * other error as it is, and this one too where a pod waits for what no time mends, or the cluster lets nobody look.
 */
export async function untilTheyGetOn(error: unknown, release: ReleaseName, untilMs: number, ctx: ApplyContext<Platform>): Promise<unknown> {
  if (!(error instanceof LifeboatError) || error.code !== 'helm.deadline') return error
  const { clock, signal } = ctx
  for (;;) {
    const found = await lookAt(release, ctx)
    if (found === 'hopeless') return error
    if (found !== 'unknown' && found.late.length === 0) return again(error)
    const leftMs = untilMs - clock.now().getTime()
    if (leftMs <= 0) return error
    const what = found === 'unknown' ? 'the cluster does not say how its deployments are' : toldOf(found)
    // How long it may take comes first: a narrow screen cuts the end.
    ctx.progress(`helm has given up early; waiting ${Math.ceil(leftMs / 60_000)} min more for the pods: ${what}`)
    await clock.sleep(Math.min(lookMs, leftMs), signal)
  }
}

function again(error: LifeboatError): LifeboatError {
  const { code, message, blame, hint } = error
  return new LifeboatError(code, `${message}; it gets on now`, { blame, cause: error, retry: {}, ...(hint === undefined ? {} : { hint }) })
}

interface Found {
  /** Deployments that helm 4 would end at. */
  readonly late: readonly string[]
  /** Pods of these that are not ready. */
  readonly kept: readonly Kept[]
}

/** `hopeless`: there is nothing to wait for; `unknown`: the cluster does not answer now. */
async function lookAt(release: ReleaseName, ctx: Pick<ApplyContext<Platform>, 'doors' | 'clock'>): Promise<Found | 'hopeless' | 'unknown'> {
  const { cluster, namespace } = release
  try {
    const [deployments, kept] = await Promise.all([ctx.doors.kube.list(cluster, namespace, 'deployments'), keptPods(release, ctx)])
    const late = deployments.filter((one) => isOf(one, release) && isLate(one)).map((one) => metadataOf(one).name)
    const theirs = kept.filter(({ pod }) => late.some((name) => pod.startsWith(`${name}-`)))
    return theirs.some(({ isHopeless }) => isHopeless) ? 'hopeless' : { late, kept: theirs }
  } catch (unread) {
    if (!(unread instanceof LifeboatError)) throw unread
    return unread.retry === undefined ? 'hopeless' : 'unknown'
  }
}

function toldOf({ late, kept: [first] }: Found): string {
  const names = late.map((name) => `deployment ${name}`).join(', ')
  return `${names} ${late.length === 1 ? 'has' : 'have'} passed the progress deadline${first === undefined ? '' : `; ${first.why}`}`
}

interface Metadata {
  readonly name: string
  readonly annotations?: Readonly<Record<string, string>>
}

const metadataOf = (object: JsonObject): Metadata => object['metadata'] as unknown as Metadata

/** As helm marks what it has made; it does not look at others. */
function isOf(object: JsonObject, { name, namespace }: ReleaseName): boolean {
  const { annotations = {} } = metadataOf(object)
  return annotations['meta.helm.sh/release-name'] === name && annotations['meta.helm.sh/release-namespace'] === namespace
}

function isLate({ status }: JsonObject): boolean {
  const { conditions = [] } = (status ?? {}) as { readonly conditions?: readonly { readonly type: string; readonly reason?: string }[] }
  return conditions.some(({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded')
}
