import {
  LifeboatError,
  type Answer,
  type AnyStep,
  type ApplyContext,
  type Change,
  type JsonObject,
  type Question,
} from '../contract/index.js'
import { notBegun, unshown } from './compare.js'
import { conflictError, lookUntilConverged, lookUntilSettled, type Inputs, type Look } from './look.js'
import type { Recorder } from './recorder.js'
import { waitAfter, waitOut } from './retry.js'

/** One step on its way from observe to verified. Knows nothing of listr2, of graphs, or of other steps. */
export interface StepWork<D> {
  readonly step: string
  readonly module: AnyStep<D>
  readonly inputs: Inputs
  readonly ctx: Omit<ApplyContext<D>, 'checkpoint'>
  readonly recorder: Recorder
  /** What the operator has been shown for this step by now. */
  readonly shown: () => readonly Change[]
  /** What this run has written, or begun to write, for this step, by the intents in its journal. */
  readonly begun: () => readonly Change[]
  readonly startedMs: number
  /** Asks the operator; without one, the answer is to stop. */
  readonly ask: (question: Question) => Promise<Answer>
  /** The last look at what comes downstream, before a change takes something from users. Throws if it must not go on. */
  readonly beforeHarm: () => Promise<void>
  /** Is the target still this run's? Throws if it is not. True if it was only now taken, and what was seen before may be so no more. */
  readonly beforeIntent: () => Promise<boolean>
}

/**
 * observe → plan → intent → apply → applied → verify → verified. A failure that may pass starts again at observe, never at
 * apply: what the failed try did is seen before anything else is written.
 */
export async function bringAbout<D>(work: StepWork<D>): Promise<JsonObject> {
  let made = 0
  let rounds = 1
  let tries = 0
  // Each kind of failure has its own limit: what somebody else's work took counts for nothing else.
  const failed = new Map<string, number>()
  for (;;) {
    try {
      const { changes, outputs } = await applyWhatIsMissing(work)
      made += changes.length
      const isLeft = (seen: Look): boolean => changes.length > 0 && rounds < mostRounds && isRestLeft(work, changes, seen)
      const there = outputs ?? (await lookUntilConverged(work.module, work.inputs, work.ctx, { isLeft }))
      if (there !== undefined) return await recordVerified(work, there, made)
      rounds += 1
    } catch (error) {
      const { code } = error as LifeboatError
      tries += 1
      failed.set(code, (failed.get(code) ?? 0) + 1)
      const wait = waitAfter(error, failed.get(code) ?? 1)
      // A failure for good is told, also while the run comes to a safe point.
      if (wait === undefined) throw error
      work.ctx.signal.throwIfAborted()
      await recordRetry(work, error as LifeboatError, tries, wait.ms)
      await waitOut(work.ctx.clock, wait, work.ctx.signal)
    }
  }
}

/** Rounds of a step that is brought about in parts. */
const mostRounds = 6

/**
 * Is something to be done that was shown, and that the last intent did not have? What an earlier life had under way may end after this one
 * has looked: one disk moved, the other not. A new intent covers the rest (design §3).
 */
function isRestLeft<D>({ module, inputs, shown }: StepWork<D>, changes: readonly Change[], seen: Look): boolean {
  if (seen.state !== 'drifted') return false
  const rest = module.plan(inputs, seen).filter(({ resource }) => !changes.some((one) => one.resource === resource))
  return rest.length > 0 && unshown(shown(), rest).length === 0
}

/** Verifies only: the operator says that it was done by hand. */
export async function verifyOnly<D>(work: StepWork<D>): Promise<JsonObject> {
  return recordVerified(work, (await lookUntilConverged(work.module, work.inputs, work.ctx, { byHand: true })) ?? {}, 0)
}

/** What was applied; `outputs` where there was nothing to apply because all is as wanted. */
async function applyWhatIsMissing<D>(work: StepWork<D>): Promise<{ changes: readonly Change[]; outputs?: Inputs }> {
  const { step, module, inputs, ctx, recorder } = work
  if (module.check === true) return { changes: [] }
  const seen = await lookUntilSettled(module, inputs, ctx)
  if (seen.state === 'converged') return { changes: [], outputs: seen.outputs }
  if (seen.state === 'conflict') throw conflictError(seen)
  const changes = module.plan(inputs, seen)
  if (changes.length === 0) {
    throw new LifeboatError('tool.bug', `${module.uses} is ${seen.state} but plans nothing`, { blame: 'tool' })
  }
  await agreeToSurprises(work, changes)
  if (changes.some((change) => change.harm !== undefined)) await work.beforeHarm()
  // It comes round once: what is taken stays so. What was agreed to a moment ago is not asked again.
  if (await work.beforeIntent()) return applyWhatIsMissing({ ...work, shown: () => [...work.shown(), ...changes] })
  ctx.signal.throwIfAborted()
  await recorder.record('step.intent', { step, changes })
  const checkpoint: ApplyContext<D>['checkpoint'] = (what) => recorder.record('step.checkpoint', { step, what })
  await module.apply(changes, inputs, { ...ctx, checkpoint })
  await recorder.record('step.applied', { step })
  return { changes }
}

/** What was shown is what runs: anything else is shown beside it and asked for. */
async function agreeToSurprises<D>(work: StepWork<D>, changes: readonly Change[]): Promise<void> {
  const beyond = unshown(work.shown(), changes)
  if (beyond.length === 0 || notBegun(work.begun(), beyond).length === 0) return
  const answer = await work.ask({ kind: 'surprise', step: work.step, shown: work.shown(), now: changes })
  if (answer.choice === 'go') return
  const resources = beyond.map((change) => `${change.action} ${change.resource}`)
  throw new LifeboatError('step.surprise', `the world has moved on; this was not shown: ${resources.join(', ')}`, {
    blame: 'user',
    hint: 'Nothing was written for it. Resume at a terminal: it is shown there beside what was agreed to, and asked.',
  })
}

async function recordVerified<D>(work: StepWork<D>, outputs: Inputs, changes: number): Promise<JsonObject> {
  const elapsedMs = work.ctx.clock.now().getTime() - work.startedMs
  const facts = outputs as JsonObject
  await work.recorder.record('step.verified', { step: work.step, outputs: facts, changes, elapsedMs })
  return facts
}

async function recordRetry<D>(work: StepWork<D>, error: LifeboatError, attempt: number, inMs: number): Promise<void> {
  const { code, message, hint, blame } = error
  const facts = { code, message, blame, retryable: true, ...(hint === undefined ? {} : { hint }) }
  await work.recorder.record('step.retrying', { step: work.step, attempt, inMs, error: facts })
}
