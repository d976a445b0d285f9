import { LifeboatError, type ApplyContext, type JsonObject } from '../../contract/index.js'
import type { Platform } from '../../platform/platform.js'
import { seconds } from '../step.js'
import type { Place } from './pods.js'

/** Milliseconds of the run's clock between two looks at the deployments. */
const lookMs = 15 * seconds
/** Of one installation: a deployment that gets on and stops again is nothing that time mends. */
const tries = 3

/**
 * helm 4 ends as soon as a deployment has made no progress for `progressDeadlineSeconds` (600 unless the chart says otherwise), and at
 * once where it has not for that long already: whatever timeout it was given (rule K15). Its pods go on meanwhile, and slow images or a
 * server that comes back late are common in a failover. So what is left of the patience that the runbook states, until `untilMs` of the
 * run's clock, is waited out here: once no deployment is past its deadline, the error is one to be tried again. Any other error as it is.
 */
export async function untilTheyGetOn(error: unknown, place: Place, untilMs: number, ctx: ApplyContext<Platform>): Promise<unknown> {
  if (!(error instanceof LifeboatError) || error.code !== 'helm.deadline') return error
  const { clock, signal } = ctx
  for (;;) {
    const late = await pastDeadline(place, ctx.doors)
    if (late?.length === 0) return again(error)
    const leftMs = untilMs - clock.now().getTime()
    if (leftMs <= 0) return error
    const minutesLeft = Math.ceil(leftMs / 60_000)
    const what = late === undefined ? 'the cluster does not say how its deployments are' : `${late.join(', ')} ${late.length === 1 ? 'has' : 'have'} passed the progress deadline`
    ctx.progress(`helm has given up early: ${what}; pods may still get ready, looking for ${minutesLeft} min more`)
    await clock.sleep(Math.min(lookMs, leftMs), signal)
  }
}

function again(error: LifeboatError): LifeboatError {
  const { code, message, blame, hint } = error
  return new LifeboatError(code, `${message}; it gets on now`, { blame, cause: error, retry: { attempts: tries }, ...(hint === undefined ? {} : { hint }) })
}

/** Names of deployments that helm 4 would end at; undefined where nobody tells. */
async function pastDeadline({ cluster, namespace }: Place, { kube }: Platform): Promise<readonly string[] | undefined> {
  try {
    return (await kube.list(cluster, namespace, 'deployments')).filter(isLate).map((one) => `deployment ${(one['metadata'] as { readonly name: string }).name}`)
  } catch (unread) {
    if (unread instanceof LifeboatError) return undefined
    throw unread
  }
}

function isLate({ status }: JsonObject): boolean {
  const { conditions = [] } = (status ?? {}) as { readonly conditions?: readonly { readonly type: string; readonly reason?: string }[] }
  return conditions.some(({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded')
}
