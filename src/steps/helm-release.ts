import { z } from 'zod'
import { isPending, type Change, type Finding, type Inverse, type Planned, type PlanInputs, type ReadContext, type Write } from '../contract/index.js'
import type { Revision } from '../platform/helm/door.js'
import type { Platform } from '../platform/platform.js'
import { untilTheyGetOn } from './parts/deadline.js'
import { kubectlFindings } from './parts/kube.js'
import { naming } from './parts/naming.js'
import { withPods } from './parts/pods.js'
import { isMaking, together } from './parts/readiness.js'
import { addressed } from './parts/release-address.js'
import { releaseInputs, type ReleaseInputs } from './parts/release-inputs.js'
import { broughtBack, helmAtWork, recoverRelease, recoveryWrites, servedIn, type Next } from './parts/release-recovery.js'
import { chartOf, chartSaid, descriptionOf, nameOf, otherSecrets, sourceOf } from './parts/release.js'
import { claim, defineStep, known, minutes, seconds } from './step.js'

/** The newest revision, and the newest that ever came to a good end. */
interface Seen {
  readonly revision: number
  readonly status: string
  /** Undefined: installing it is still the creation that was shown, however often it was tried. */
  readonly served?: number
  /** The revision that this one brought back. */
  readonly rolledBackTo?: number
  /** Paths of secrets that have another value in the release. */
  readonly otherSecrets?: readonly string[]
}

const nameIn = ({ namespace, release }: Pick<PlanInputs<ReleaseInputs>, 'namespace' | 'release'>): string =>
  `release ${naming(namespace, 'namespace')}/${naming(release, 'release')}`

/**
 * A helm release, waited for until its pods are ready and its load balancer has an address. A digest of chart and values
 * stands in its description: a release with another one is not what is wanted. What an interrupted helm left behind
 * (facts/helm-wire) is cleared as part of the change that follows, and shown as its state before; but where it may be somebody else's,
 * who is still at work, that is waited for.
 */
export const helmRelease = defineStep({
  uses: 'helm/release',
  summary: 'A helm release, installed or upgraded, and the address it answers at',
  inputs: releaseInputs,
  outputs: z.object({ namespace: z.string(), revision: z.number(), address: z.string().optional() }),
  identity: ['cluster', 'namespace', 'release', 'chart', 'valuesFiles', 'values', 'set', 'secrets', 'addressFrom', 'timeout'],
  verification: ({ timeout }) => ({ everyMs: 5 * seconds, withinMs: timeout }),
  async preflight(changes, wanted, ctx) {
    const { doors } = ctx
    const kube = kubeVersion(wanted, doors)
    const ofTool: Promise<readonly Finding[]> = doors.helm.version().then(() => [])
    const ofChart = isMaking(changes) ? chartFindings(changes, wanted, kube, ctx) : Promise.resolve([])
    return together(ofTool, kubeFindings(kube, doors), ofChart)
  },
  async pins({ chart }, ctx) {
    if (isPending(chart) || typeof chart === 'string') return []
    const source = await sourceOf(chart, ctx)
    return typeof source === 'string' ? [] : [{ what: chartSaid(chart), digest: await ctx.doors.helm.pull(source) }]
  },
  async observe(wanted, ctx) {
    const { doors } = ctx
    const history = await doors.helm.history(nameOf(wanted))
    const newest = history.at(-1)
    if (newest === undefined || newest.status === 'uninstalled') return { state: 'absent' }
    if (newest.status !== 'deployed') {
      const seen = seenOf(newest, history)
      const atWork = helmAtWork(newest, nameOf(wanted), wanted.timeout, ctx)
      return atWork === undefined ? { state: 'drifted', seen } : { ...atWork, seen }
    }
    const chart = await chartOf(wanted, ctx)
    if (newest.description !== (await descriptionOf(chart, doors))) return { state: 'drifted', seen: seenOf(newest, history) }
    const others = await otherSecrets(nameOf(wanted), chart, doors)
    if (others.length > 0) return { state: 'drifted', seen: { ...seenOf(newest, history), otherSecrets: others } }
    const found = await addressed(wanted, newest.revision, doors)
    // To be uninstalled or rolled back it needs no address.
    return found.state === 'converged' ? found : { ...found, halfMade: nameIn(wanted) }
  },
  plan(wanted, seen: { state: 'absent' } | { state: 'drifted'; seen: Seen }): Change[] {
    const after = afterOf(wanted)
    if (seen.state === 'absent') return [{ resource: nameIn(wanted), action: 'create', after }]
    const { revision, status, served, rolledBackTo, otherSecrets: others } = seen.seen
    const more = others === undefined ? {} : { otherSecrets: others }
    const rolledBack = rolledBackTo === undefined ? {} : { rolledBackTo }
    const before = { revision, status, ...(served === undefined ? {} : { served }), ...rolledBack, ...more }
    return [{ resource: nameIn(wanted), action: served === undefined ? 'create' : 'update', before, after }]
  },
  async apply(changes, wanted, ctx) {
    const { doors, signal } = ctx
    const name = nameOf(wanted)
    const wish = { timeoutMs: wanted.timeout, signal }
    const waited = async (begin: () => Promise<void>): Promise<void> => {
      const untilMs = ctx.clock.now().getTime() + wanted.timeout
      await begin().catch(async (error: unknown) => {
        throw await withPods(await untilTheyGetOn(error, name, untilMs, ctx), wanted, ctx)
      })
    }
    for (const change of changes) {
      await recoverRelease(name, { ...wish, next: nextOf(change) }, ctx)
      if (change.action === 'delete') {
        await doors.helm.uninstall(name, wish).catch(async (error: unknown) => {
          throw await withPods(error, wanted, ctx)
        })
      } else if (isRollback(change)) {
        const to = change.after.rollback
        await waited(() => doors.helm.rollback(name, to, wish))
      } else {
        const chart = await chartOf(wanted, ctx)
        const description = await descriptionOf(chart, doors)
        await ctx.checkpoint({ helm: `upgrade --install ${wanted.release}` })
        ctx.progress(`helm installs ${wanted.release} and waits for its pods`)
        await waited(() => doors.helm.upgrade(name, chart, { ...wish, description }))
      }
    }
  },
  invert: (changes) => changes.map(inverse),
  isBack: ({ action, before: then }, now) => (now === undefined ? undefined : action === 'create' ? isAway(then, now.before) : isFormer(then, now.before)),
  writes: (changes, wanted) => changes.flatMap((change) => releaseWrites(change, wanted)),
  claims: ({ cluster, namespace, release }) => [claim('release', `${known(cluster)}/${known(namespace)}/${known(release)}`)],
  estimateMs: () => 10 * minutes,
})

/** What is wanted, as a plan shows it: of a secret where it is read, and a keyed digest. */
function afterOf({ chart, valuesFiles, values, set, secrets }: PlanInputs<ReleaseInputs>): Planned {
  const shown = { valuesFiles, set, secrets }
  const given = Object.entries(shown).filter(([, value]) => isPending(value) || Object.keys(value).length > 0)
  return { chart: isPending(chart) ? chart : chartSaid(chart), values: values as Planned, ...Object.fromEntries(given) }
}

/** What an interrupted helm left is cleared first, as the change's state before tells. */
function releaseWrites(change: Change, { namespace, release }: PlanInputs<ReleaseInputs>): Write[] {
  const [space, name] = [namespace, release].map((one) => (isPending(one) ? '*' : one)) as [string, string]
  const next = nextOf(change)
  return [...recoveryWrites((change.before ?? {}) as Partial<Seen>, { space, name, next }), { command: `helm ${next}`, on: `${space}/${name}` }]
}

function nextOf(change: Change): Next {
  return change.action === 'delete' ? 'uninstall' : isRollback(change) ? 'rollback' : 'upgrade'
}

/** Of the cluster, where that exists already. */
async function kubeVersion({ cluster }: PlanInputs<ReleaseInputs>, { azure }: Platform): Promise<string | undefined> {
  return isPending(cluster) ? undefined : (await azure.clusters.get(cluster))?.kubernetesVersion
}

/** kubectl is there, and fits the cluster. Throws `kubectl.missing`. */
async function kubeFindings(version: Promise<string | undefined>, doors: Platform): Promise<readonly Finding[]> {
  const [, server] = await Promise.all([doors.kube.version(), version])
  return kubectlFindings(server, doors)
}

/** Throws for a chart that cannot be had or rendered with these values. */
async function chartFindings(
  changes: readonly Change[],
  wanted: PlanInputs<ReleaseInputs>,
  kube: Promise<string | undefined>,
  ctx: ReadContext<Platform>,
): Promise<readonly Finding[]> {
  const { namespace, release, chart, valuesFiles, values, set, secrets } = wanted
  if (isPending(namespace) || isPending(release) || isPending(chart)) return []
  if (isPending(valuesFiles) || isPending(values) || isPending(set) || isPending(secrets)) return []
  const given = await chartOf({ chart, valuesFiles, values, set, secrets }, ctx)
  const version = await kube
  const on = version === undefined ? {} : { kubeVersion: version }
  const { preInstallHooks } = await ctx.doors.helm.template({ namespace, name: release }, given, on)
  if (preInstallHooks.length === 0 || !changes.some(failedBefore)) return []
  return [
    {
      level: 'warn',
      what: `the first installation of ${release} failed, and what follows is an upgrade to helm: the chart's pre-install hooks (${preInstallHooks.join(', ')}) do not run again`,
      mend: `If they must, take the failed release away first: helm uninstall ${release} -n ${namespace}`,
    },
  ]
}

function failedBefore({ before }: Change): boolean {
  const { status, served } = (before ?? {}) as Partial<Seen>
  return status === 'failed' && served === undefined
}

function seenOf(newest: Revision, history: readonly Revision[]): Seen {
  const { revision, status } = newest
  const served = servedIn(history)
  const to = broughtBack(newest, history)
  return { revision, status, ...(served === undefined ? {} : { served }), ...(to === undefined ? {} : { rolledBackTo: to }) }
}

/** An installation is put back by uninstalling, an upgrade by rolling back to the revision that served before it. */
function inverse({ resource, action, before, after }: Change): Inverse {
  if (action === 'create') return { resource, action: 'delete', ...(after === undefined ? {} : { before: after }), harm: 'users of this release lose it' }
  const served = (before as Seen | undefined)?.served
  if (action === 'delete' || served === undefined) return { resource, irreversible: 'no revision is left to go back to' }
  return { resource, action: 'update', ...(after === undefined ? {} : { before: after }), after: { rollback: served } }
}

/**
 * An installation that failed or was broken off has a record and objects, and is taken away too; not one that the run has found so. One
 * that is being uninstalled is on its way already: that something served there once is no reason to leave half of it.
 */
function isAway(then: Change['before'], now: Change['before']): boolean | 'in-part' {
  if (now === undefined || then !== undefined) return true
  const { served, status } = now as unknown as Seen
  return served === undefined || status === 'uninstalling' ? 'in-part' : false
}

/**
 * A rollback is a revision of its own. One that somebody else has deployed since is neither as it was nor as the run left it. What failed
 * or was broken off serves nobody, be it this run's upgrade or its way back: what served before is brought back from there too.
 */
function isFormer(then: Change['before'], now: Change['before']): boolean | 'in-part' {
  const [before, { status, revision, rolledBackTo }] = [then ?? {}, now ?? {}] as unknown as readonly [Partial<Seen>, Partial<Seen>]
  if (revision !== undefined && revision === before.revision && status === before.status) return true
  if (status !== undefined && status !== 'deployed') return 'in-part'
  return status === 'deployed' && rolledBackTo !== undefined && rolledBackTo === before.served
}

function isRollback(change: Change): change is Change & { readonly after: { readonly rollback: number } } {
  const { action, after } = change
  return action === 'update' && typeof after === 'object' && after !== null && 'rollback' in after
}
