import {
  LifeboatError,
  type AnyStep,
  type Clock,
  type Observation,
  type PlanInputs,
  type ReadContext,
} from '../contract/index.js'
import type { SecretPort } from './ports.js'
import { readPolicy, waitAfter, waitOut } from './retry.js'

export type Inputs = Record<string, unknown>
export type Look = Observation<Record<string, unknown>, unknown>

/** One observation. Whatever it throws is unknown: a failed read is never an absence. */
export async function lookOnce<D>(module: AnyStep<D>, inputs: PlanInputs<Inputs>, ctx: ReadContext<D>): Promise<Look> {
  try {
    const seen = await module.observe(inputs, ctx)
    return seen.state === 'converged' ? { ...seen, outputs: module.outputs.parse(seen.outputs) } : seen
  } catch (error) {
    ctx.signal.throwIfAborted()
    return { state: 'unknown', why: error instanceof Error ? error.message : String(error), cause: error }
  }
}

/**
 * Looks until the answer is worth acting on, before anything is written: unknown is tried again while its cause says that
 * this may help, and then stops the step; in flight is watched until it is over, or the step's patience has passed, or without that
 * its deadline.
 */
export async function lookUntilSettled<D>(
  module: AnyStep<D>,
  inputs: Inputs,
  ctx: ReadContext<D>,
): Promise<Exclude<Look, { state: 'unknown' | 'in-flight' }>> {
  const { everyMs, withinMs } = module.verification(inputs)
  const fromMs = ctx.clock.now().getTime()
  let patientFromMs: number | undefined
  for (let attempt = 1; ; ) {
    const seen = await lookOnce(module, inputs, ctx)
    const nowMs = ctx.clock.now().getTime()
    patientFromMs = seen.state === 'in-flight' && seen.patience !== undefined ? (patientFromMs ?? nowMs) : undefined
    if (seen.state === 'unknown') {
      const wait = waitAfter(seen.cause, attempt, readPolicy)
      if (wait === undefined) throw unknownError(seen)
      attempt += 1
      ctx.progress(`cannot tell yet: ${seen.why}`)
      await waitOut(ctx.clock, wait, ctx.signal)
    } else if (seen.state === 'in-flight') {
      const watchedMs = nowMs - fromMs
      const { ms, error } = seen.patience ?? { ms: withinMs, error: undefined }
      if (nowMs - (patientFromMs ?? fromMs) >= ms) throw error ?? overdue(seen.what, withinMs)
      // It could be told: what fails from here on begins anew.
      attempt = 1
      ctx.progress(seen.what)
      await ctx.clock.sleep(pauseMs(everyMs, watchedMs), ctx.signal)
    } else {
      return seen
    }
  }
}

/**
 * Verify: `observe` repeated until converged. Unknown means "not yet" here. The deadline is the step's own, in the run's clock.
 * Resolves with undefined where something is left (`isLeft`) that no waiting brings about.
 */
export async function lookUntilConverged<D>(
  module: AnyStep<D>,
  inputs: Inputs,
  ctx: ReadContext<D>,
  { isLeft = () => false, byHand = false }: Awaited = {},
): Promise<Record<string, unknown> | undefined> {
  const { everyMs, withinMs: usualMs } = module.verification(inputs)
  const withinMs = byHand ? Math.min(usualMs, byHandMs) : usualMs
  let left = 0
  const fromMs = ctx.clock.now().getTime()
  for (;;) {
    const seen = await lookOnce(module, inputs, ctx)
    if (seen.state === 'converged') return seen.outputs
    if (seen.state === 'conflict') throw conflictError(seen)
    if (seen.state === 'unknown' && isHopeless(seen.cause)) throw unknownError(seen)
    left = isLeft(seen) ? left + 1 : 0
    if (left >= surely) return undefined
    const watchedMs = ctx.clock.now().getTime() - fromMs
    if (watchedMs >= withinMs) throw byHand ? notDone(seen, withinMs) : overdue(describe(seen), withinMs)
    ctx.progress(describe(seen, byHand ? 'said to be done' : 'made'))
    await ctx.clock.sleep(pauseMs(everyMs, watchedMs), ctx.signal)
  }
}

/**
 * What takes longer than anything usual does is looked at less often: it may go on for hours, and Azure counts the questions of a whole
 * subscription, those of other runs among them.
 */
const slowly = { afterMs: 30 * 60_000, everyMs: 30_000 } as const

function pauseMs(everyMs: number, watchedMs: number): number {
  return watchedMs < slowly.afterMs ? everyMs : Math.max(everyMs, slowly.everyMs)
}

/** What is waited for, besides its being as wanted. */
interface Awaited {
  /** Is there something left to make? Then it is given up, and nothing comes back. */
  readonly isLeft?: (seen: Look) => boolean
  /** Somebody says that it is done, and waits for an answer: reads may be a while behind, but not for as long as after a change of ours. */
  readonly byHand?: boolean
}

const byHandMs = 120_000

/** Reads may be a while behind: only what is seen so often in a row is believed. */
const surely = 3

/** An error that no door of ours threw on purpose: waiting will not mend it. */
function isBug(cause: unknown): boolean {
  return cause !== undefined && !(cause instanceof LifeboatError)
}

/** Waiting will not mend it either: somebody has to do something first, as where a login is refused. */
function isHopeless(cause: unknown): boolean {
  return isBug(cause) || (cause instanceof LifeboatError && cause.blame === 'user' && cause.retry === undefined)
}

type NotYet = Exclude<Look, { state: 'converged' | 'conflict' }>

function describe(seen: NotYet, how = 'made'): string {
  switch (seen.state) {
    case 'in-flight':
      return seen.what
    case 'unknown':
      return `not yet: ${seen.why}`
    case 'absent':
      return `${how}, but not to be seen yet`
    case 'drifted':
      return `${how}, but not as wanted yet`
  }
}

export function conflictError(seen: { readonly why: string; readonly mend: string }): LifeboatError {
  return new LifeboatError('step.conflict', seen.why, { blame: 'user', hint: seen.mend })
}

function unknownError(seen: { readonly why: string; readonly cause?: unknown }): LifeboatError {
  if (seen.cause instanceof LifeboatError) {
    const { code, message, hint, blame, cause, alternative } = seen.cause
    return new LifeboatError(code, message, {
      blame,
      cause,
      ...(hint === undefined ? {} : { hint }),
      ...(alternative === undefined ? {} : { alternative }),
    })
  }
  if (isBug(seen.cause)) return new LifeboatError('tool.bug', seen.why, { blame: 'tool', cause: seen.cause })
  return new LifeboatError('step.unknown', `its state cannot be told: ${seen.why}`, {
    hint: 'Nothing was written for it. Find out what is wrong there, then resume.',
  })
}

function overdue(what: string, withinMs: number): LifeboatError {
  return new LifeboatError('step.overdue', `not there after ${Math.round(withinMs / 60_000)} min: ${what}`, {
    hint: 'It may still come: a resume looks again before it writes anything.',
  })
}

function notDone(seen: NotYet, withinMs: number): LifeboatError {
  const what = seen.state === 'absent' ? 'it is not there' : seen.state === 'drifted' ? 'it is not as wanted' : describe(seen)
  return new LifeboatError('step.not-done', `said to be done by hand, but after ${Math.round(withinMs / 60_000)} min ${what}`, {
    blame: 'user',
    hint: 'Look at it once more. To try again makes it, if it is still missing.',
  })
}

/** The clock-bound context that every look and every apply of a step gets. */
export function readContext<D>(
  doors: D,
  clock: Clock,
  signal: AbortSignal,
  progress: (message: string) => void,
  accepted: ReadonlySet<string>,
  secrets: SecretPort,
  overPrograms: ReadContext<D>['overPrograms'] = () => [],
): ReadContext<D> {
  return { doors, clock, signal, progress, accepted, secret: async (reference) => secrets.read(reference), overPrograms }
}
