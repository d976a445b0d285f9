import { sayWrite, type Fidelity, type PlannedStep, type SentWrite, type Shares, type StepFidelity, type Unsent, type Write } from '../contract/index.js'
import type { RunState } from '../journal/index.js'

/** What belongs to no step, in plan and log. */
export const theRunItself = 'site'

/** Holds what the journaled plan predicted against what was sent. Pure; a run without a journaled plan has no steps. */
export function fidelityOf(ran: Pick<RunState, 'planned' | 'steps' | 'status'>, sent: readonly SentWrite[]): Fidelity {
  const { planned: plan, steps: states, status } = ran
  const planned = plan?.steps ?? []
  const rows = [
    ...planned.filter(({ id }) => id !== theRunItself).map((step) => stepFidelity(step.id, predictionOf(step), states.get(step.id)?.status === 'verified', sent)),
    ...strangers(planned, sent).map((step) => stepFidelity(step, undefined, true, sent)),
    stepFidelity(theRunItself, [...ofNamesake(planned), ...(plan?.marks ?? [])], status === 'finished', sent),
  ]
  const told = rows.filter((row) => [row.happened, row.missing, row.open, row.unpredicted].some((one) => one.length > 0))
  const sum = (part: 'happened' | 'missing' | 'open' | 'unpredicted'): number => told.reduce((all, row) => all + row[part].length, 0)
  const counts = { happened: sum('happened'), missing: sum('missing'), open: sum('open'), unpredicted: sum('unpredicted') }
  const predictions = [...planned.flatMap((step) => predictionOf(step) ?? []), ...(plan?.marks ?? [])]
  return {
    steps: told,
    total: {
      predicted: counts.happened + counts.missing + counts.open,
      partlyKnown: predictions.filter((write) => sayWrite(write).includes('*')).length,
      ...counts,
      ...shares(counts.happened, counts.missing, counts.unpredicted),
    },
    notPredicted: planned.filter((step) => predictionOf(step) === undefined).map(({ id }) => id),
  }
}

/** A log does not tell a step of this name from the run itself, so that both are one here. */
function ofNamesake(planned: readonly PlannedStep[]): readonly Write[] {
  return planned.filter(({ id }) => id === theRunItself).flatMap((step) => predictionOf(step) ?? [])
}

/** Nothing for a step without changes, whatever its module says. */
function predictionOf({ changes, writes }: PlannedStep): readonly Write[] | undefined {
  return changes.length === 0 ? [] : writes
}

/** Steps that have sent something and are in no plan: an accepted change of the runbook brought them. */
function strangers(planned: readonly PlannedStep[], sent: readonly SentWrite[]): readonly string[] {
  const known = new Set([...planned.map(({ id }) => id), theRunItself])
  return [...new Set(sent.map(({ step }) => step))].filter((step) => !known.has(step))
}

function stepFidelity(step: string, predicted: readonly Write[] | undefined, over: boolean, all: readonly SentWrite[]): StepFidelity {
  const sent = all.filter((one) => one.step === step)
  const [refused, made] = [sent.filter(({ outcome }) => outcome === 'refused'), sent.filter(({ outcome }) => outcome !== 'refused')]
  const { pairs, missing, unpredicted } = matched(predicted ?? [], made)
  const tried = matched(missing, refused)
  const unsent = [
    ...tried.pairs.map(([write, { answer }]): Unsent => ({ write, ...(answer === undefined ? {} : { refused: answer }) })),
    ...tried.missing.map((write): Unsent => ({ write, ...doneBy(write, all) })),
  ]
  const strange = [...unpredicted, ...tried.unpredicted]
  return {
    step,
    isPredicted: predicted !== undefined,
    isOver: over,
    happened: pairs.map(([, one]) => one),
    missing: over ? unsent : [],
    open: over ? [] : unsent,
    unpredicted: strange,
    ...shares(pairs.length, over ? unsent.length : 0, strange.length),
  }
}

/** Two steps may each plan what one of them will find done: the same server is fenced for each of its pools. */
function doneBy(write: Write, all: readonly SentWrite[]): Pick<Unsent, 'doneBy'> {
  const text = sayWrite(write).toLowerCase()
  const other = all.find((one) => one.outcome === 'accepted' && sayWrite(one.write).toLowerCase() === text)
  return other === undefined ? {} : { doneBy: other.step }
}

function shares(happened: number, missing: number, unpredicted: number): Shares {
  const share = (of: number): number | null => (of === 0 ? null : happened / of)
  return { precision: share(happened + missing), recall: share(happened + unpredicted) }
}

export interface Matched<T> {
  readonly pairs: readonly (readonly [Write, T])[]
  readonly missing: readonly Write[]
  readonly unpredicted: readonly T[]
}

/**
 * Pairs each prediction with one write that it fits, those that say most first. A prediction that is there twice counts once, unless
 * a part of it is open.
 */
export function matched<T extends { readonly write: Write }>(predicted: readonly Write[], sent: readonly T[]): Matched<T> {
  const left = new Set(sent)
  const pairs: (readonly [Write, T])[] = []
  const missing: Write[] = []
  for (const write of distinct(predicted).sort((a, b) => known(b) - known(a))) {
    const fits = fitting(write)
    const found = [...left].find((one) => fits(sayWrite(one.write)))
    if (found === undefined) missing.push(write)
    else pairs.push([write, found])
    if (found !== undefined) left.delete(found)
  }
  return { pairs, missing, unpredicted: [...left] }
}

function distinct(writes: readonly Write[]): Write[] {
  const said = writes.map((write) => sayWrite(write).toLowerCase())
  return writes.filter((_, index) => (said[index] ?? '').includes('*') || said.indexOf(said[index] ?? '') === index)
}

/** How many characters of it are known. */
function known(write: Write): number {
  return sayWrite(write).replaceAll('*', '').length
}

/** Azure's names and ours know no upper case. */
function fitting(write: Write): (text: string) => boolean {
  const parts = sayWrite(write).split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
  const pattern = new RegExp(`^${parts.join('.*')}$`, 'i')
  return (text) => pattern.test(text)
}
