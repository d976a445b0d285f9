import type { Alternative, Answer, ErrorFacts, OpenChoice } from '../contract/index.js'
import type { RunState } from '../journal/index.js'
import type { Recorder } from './recorder.js'

/** By step, ids of alternatives that the operator has chosen in advance (`--accept STEP=ID`): taken as soon as they are offered. */
export type Accepting = ReadonlyMap<string, ReadonlySet<string>>

/** Who answers for what was chosen in advance. */
const inAdvance = '--accept'

/** A failure whose alternative was chosen in advance. */
export interface Taken {
  readonly step: string
  readonly error: ErrorFacts & { readonly alternative: Alternative }
}

/** This failure, if what it offers was chosen in advance. */
export function chosenInAdvance(accept: Accepting | undefined, step: string, error: ErrorFacts): Taken | undefined {
  const { alternative } = error
  if (alternative === undefined || accept?.get(step)?.has(alternative.id) !== true) return undefined
  return { step, error: { ...error, alternative } }
}

/** Journals it as any other question with its answer, so that a fold needs to know nothing of flags. */
export async function recordTaken(recorder: Recorder, { step, error }: Taken): Promise<Answer> {
  const answer: Answer = { choice: 'accept', by: inAdvance, alternative: error.alternative.id }
  await recorder.record('question.asked', { step, question: { kind: 'failure', step, error } })
  await recorder.record('question.answered', { step, kind: 'failure', answer })
  return answer
}

/** Failures that stand in the journal and offered what this resume brings. */
export function offeredBefore({ steps, accepted }: RunState, accept: Accepting | undefined): readonly Taken[] {
  return [...steps].flatMap(([step, { error }]) => {
    const taken = error === undefined ? undefined : chosenInAdvance(accept, step, error)
    return taken === undefined || accepted.get(step)?.has(taken.error.alternative.id) === true ? [] : [taken]
  })
}

/** What was chosen in advance and never offered, in words. */
export function neverOffered({ steps, accepted }: RunState, accept: Accepting | undefined): readonly string[] {
  return [...(accept ?? [])].flatMap(([step, ids]) =>
    [...ids].filter((id) => accepted.get(step)?.has(id) !== true).map((id) => {
      const offered = steps.get(step)?.error?.alternative?.id
      const instead = offered === undefined ? `${step} has not offered that` : `${step} offers ${offered}, not ${id}`
      return `${inAdvance} ${step}=${id} was not used: ${instead}.`
    }),
  )
}

/** Steps that failed and offer another way, those among them that were skipped then, with the command that takes it. */
export function openChoices({ steps, accepted }: RunState, resumeCommand: string): readonly OpenChoice[] {
  return [...steps].flatMap(([step, { status, error }]) => {
    const alternative = error?.alternative
    if ((status !== 'failed' && status !== 'skipped') || alternative === undefined || accepted.get(step)?.has(alternative.id) === true) return []
    const { id, offer } = alternative
    return [{ step, alternative: id, offer, command: `${resumeCommand} ${inAdvance} ${step}=${id}` }]
  })
}

/** Without an alternative that was taken already: offering it again would lead round in circles. */
export function withoutTaken(error: ErrorFacts, taken: ReadonlySet<string>): ErrorFacts {
  if (error.alternative === undefined || !taken.has(error.alternative.id)) return error
  const { alternative: _taken, ...rest } = error
  return rest
}
