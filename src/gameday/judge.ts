import { durationText, timesText } from './duration.js'
import { defectsIn } from './defects.js'
import type { Deed, Evidence, Judged } from './evidence.js'
import type { Expect } from './expectations.js'
import { missingFrom } from './oracle/converged.js'
import { notAsAtStart } from './oracle/put-back.js'
import { matcher, saidMatcher } from './selector.js'
import type { Scenario } from './scenario.js'
import { worldFinding } from './world-judge.js'

/** How a play is judged: it has passed if all faults struck and all expectations held. */
export interface Verdict {
  readonly passed: boolean
  readonly expectations: readonly Judged[]
  readonly neverFired: readonly string[]
}

export function judge({ expect, faults }: Pick<Scenario, 'expect' | 'faults'>, evidence: Evidence): Verdict {
  const neverFired = evidence.faults.flatMap(({ id, struck, inflictedMs, wrong }) => {
    // What broke after it had met something was not played as it stands in the file.
    if (struck.length > 0 && wrong === undefined) return []
    const number = faults.findIndex((one) => one.id === id) + 1
    const why = wrong ?? (inflictedMs === undefined ? 'its moment did not come' : 'nothing met it')
    return [`fault ${number} (${id}) never fired: ${why}`]
  })
  const expectations = [
    ...outcome(expect, evidence),
    noDefect(evidence),
    ...told(expect, evidence),
    ...asked(expect, evidence),
    ...evidence.unusedAnswers.map((what) => ({ what: `the answer of the script to ${what} is called for`, held: false, found: 'nobody asked that, and lived until it was answered' })),
    ...evidence.deeds.flatMap(({ act, isVain = false }) => (act === 'advice' && isVain ? [{ what: 'the advice that is followed has a command in it', held: false, found: 'there was none' }] : [])),
    ...oracle(expect, evidence),
    ...expect.world.map((one) => worldFinding(one, evidence)),
  ]
  return { passed: neverFired.length === 0 && expectations.every(({ held }) => held !== false), expectations, neverFired }
}

/** The last command of this program that was typed. */
export function lastCommand({ deeds }: Pick<Evidence, 'deeds'>): Deed | undefined {
  return deeds.filter(({ act, outcome: how }) => act !== 'aside' && how !== undefined).at(-1)
}

function outcome(expect: Expect, evidence: Evidence): readonly Judged[] {
  const last = lastCommand(evidence)
  const ended: Judged = { what: `outcome: ${expect.outcome}`, ...comparison(expect.outcome, last?.outcome ?? 'no command') }
  if (expect.within === undefined) return [ended]
  const tookMs = last?.endMs ?? 0
  const within = { what: `within ${durationText(expect.within)}`, found: durationText(tookMs) }
  const { realSpeed } = evidence
  if (realSpeed === undefined) return [ended, { ...within, held: tookMs <= expect.within }]
  // Then it says more of the machine that it was played on than of the failover.
  return [ended, { ...within, what: `${within.what}, not judged at speed ${realSpeed}`, held: null }]
}

/** A defect of the program ends as a stop does, and is none: whatever is expected, nobody may have met one. */
function noDefect({ deeds, events }: Evidence): Judged {
  const said = deeds.flatMap(({ line, said: words, outcome: how }) => [
    ...defectsIn(words).map((one) => `${line}: ${one}`),
    ...(how === 'crashed' ? [`${line}: it ended with an exit code that it does not have`] : []),
  ])
  const failed = events.flatMap((event) => ('error' in event && event.error.code === 'tool.bug' ? [event.error.message] : []))
  const found = [...new Set([...said, ...failed])]
  return { what: 'the program has met no defect of its own', held: found.length === 0, ...(found.length === 0 ? {} : { found: found.join('; ') }) }
}

function comparison(expected: string, found: string): Pick<Judged, 'held' | 'found'> {
  return expected === found ? { held: true } : { held: false, found }
}

/** All that the operator could read: what commands said, and the questions. */
function corpusOf({ deeds, asked: questions }: Evidence): string {
  return [...deeds.map(({ said }) => said), ...questions.map(({ text }) => text)].join('\n')
}

function told({ told: wanted, notTold }: Expect, evidence: Evidence): readonly Judged[] {
  const corpus = corpusOf(evidence)
  return [
    ...wanted.map((text) => ({ what: `told: ${text}`, ...seen(saidMatcher(text)(corpus), true) })),
    ...notTold.map((text) => ({ what: `not told: ${text}`, ...seen(saidMatcher(text)(corpus), false) })),
  ]
}

function seen(isThere: boolean, wanted: boolean): Pick<Judged, 'held' | 'found'> {
  if (isThere === wanted) return { held: true }
  return { held: false, found: isThere ? 'it was said' : 'nothing like it was said' }
}

function asked({ asked: wanted }: Expect, { asked: questions }: Evidence): readonly Judged[] {
  return wanted.map(({ step, asks, times }) => {
    const count = questions.filter((one) => one.step === step && one.asks === asks).length
    const held = times === undefined ? count > 0 : count === times
    const what = `asked: ${asks} of ${step}${times === undefined ? '' : `, ${timesText(times)}`}`
    return { what, held, ...(held ? {} : { found: timesText(count) }) }
  })
}

/** Of what the oracle found, what the scenario does not expect of it. */
export function unexpected(found: readonly string[], violations: Expect['violations']): readonly string[] {
  const expected = violations.map((text) => matcher(text))
  return found.filter((one) => !expected.some((fits) => fits(one)))
}

/** What the oracle found, and what it must find. */
function oracle(expect: Expect, evidence: Evidence): readonly Judged[] {
  const { start, end, violations } = evidence
  const all = [...violations, ...end.violations.map((one) => `the world saw: ${one}`)]
  const allowed = expect.violations.map((text) => ({ text, fits: matcher(text) }))
  const wrong = unexpected(all, expect.violations)
  const judged: Judged[] = [
    { what: 'nothing happened that must never happen', held: wrong.length === 0, ...(wrong.length === 0 ? {} : { found: wrong.join('; ') }) },
    ...allowed.map(({ text, fits }) => ({ what: `the oracle sees: ${text}`, ...seen(all.some(fits), true) })),
  ]
  if (expect.converged ?? (expect.outcome === 'succeeded' && lastCommand(evidence)?.isUndo !== true)) {
    const missing = unexpected(missingFrom(start, end), expect.violations)
    judged.push({ what: 'the failover is whole at the end', held: missing.length === 0, ...(missing.length === 0 ? {} : { found: missing.join('; ') }) })
  }
  if (expect.asAtStart) {
    const lost = notAsAtStart(start, end)
    judged.push({ what: 'all that the world began with is as it was', held: lost.length === 0, ...(lost.length === 0 ? {} : { found: lost.join('; ') }) })
  }
  return judged
}
