import { durationText } from './duration.js'
import type { Deed, Evidence } from './evidence.js'
import type { Fault } from './faults.js'
import { judge, unexpected, type Verdict } from './judge.js'
import type { Scenario } from './scenario.js'

/** What a scenario has come to, as data: `--json` prints these. Milliseconds are the world's, from the first command. */
export interface Scorecard {
  readonly file: string
  readonly name: string
  readonly reason: string
  readonly seed: number
  /** How many times as fast as the machine its world went, where it was played for real; times are not judged then. */
  readonly realSpeed: number | null
  readonly verdict: 'passed' | 'failed'
  readonly hypothesis: { readonly before: string; readonly held: boolean }
  readonly faults: readonly {
    readonly id: string
    readonly when: Fault['when']
    readonly does: Fault['do']
    readonly inflictedMs: number | null
    /** Null where it is not known: the playing broke. */
    readonly struck: readonly { readonly atMs: number; readonly what: string }[] | null
  }[]
  /**
   * `tookMs` to the end of the first run or resume that succeeded and left a whole failover then; null if none did. `but`: what speaks
   * against it: that what succeeded is not whole, or hubs that showed another certificate than their own by then.
   */
  readonly recovery: { readonly objectiveMs: number | null; readonly tookMs: number | null; readonly but: readonly string[] }
  /** `outcome`: null where it was no command of this program. */
  readonly did: readonly {
    readonly line: string
    readonly startMs: number
    readonly endMs: number
    readonly outcome: string | null
    readonly lastWords: readonly string[]
  }[]
  /** Null where it is not known, as `struck`; nor is then what the operator did. */
  readonly asked: Evidence['asked'] | null
  readonly expectations: Verdict['expectations']
  readonly neverFired: readonly string[]
  readonly violations: readonly string[]
  /** All events of all its runs, as `--json` of those prints them: their number, and the SHA-256 of the lines. */
  readonly events: { readonly count: number; readonly digest: string }
}

/** What a scorecard needs besides the scenario and what was seen. */
export interface Beside {
  readonly file: string
  readonly seed: number
  readonly objectiveMs: number | undefined
  /** SHA-256, in hex, of the lines of the events. */
  readonly digest: string
}

export function scorecardOf(scenario: Scenario, evidence: Evidence, { file, seed, objectiveMs, digest }: Beside): Scorecard {
  const { passed, expectations, neverFired } = judge(scenario, evidence)
  return {
    file,
    name: scenario.name,
    reason: scenario.reason,
    seed,
    realSpeed: evidence.realSpeed ?? null,
    verdict: passed ? 'passed' : 'failed',
    hypothesis: { before: scenario.hypothesis, held: passed },
    faults: evidence.faults.map(({ id, fault: { when, do: does }, inflictedMs = null, struck }) => {
      return { id, when, does, inflictedMs, struck }
    }),
    recovery: { objectiveMs: objectiveMs ?? null, ...recoveryOf(evidence, scenario.expect) },
    did: evidence.deeds.map(({ outcome = null, said, line, startMs, endMs }) => {
      return { line, startMs, endMs, outcome, lastWords: lastWords(said) }
    }),
    asked: evidence.asked,
    expectations,
    neverFired,
    violations: [...evidence.violations, ...evidence.end.violations],
    events: { count: evidence.events.length, digest },
  }
}

/** By the exit code alone students may have no hub yet: what it left has to be whole, whatever the scenario asks about it. */
function recoveryOf({ deeds }: Evidence, { violations }: Scenario['expect']): Pick<Scorecard['recovery'], 'tookMs' | 'but'> {
  const isForward = ({ act, isUndo = false }: Deed): boolean => ['run', 'resume', 'elsewhere'].includes(act) && !isUndo
  const succeeded = deeds.filter((deed) => isForward(deed) && deed.outcome === 'succeeded')
  const recovered = succeeded.find(({ missing = [] }) => unexpected(missing, violations).length === 0)
  if (recovered === undefined) return { tookMs: null, but: succeeded.length === 0 ? [] : ['what succeeded is not whole'] }
  const { uncertified = [] } = recovered
  return { tookMs: recovered.endMs, but: uncertified.length === 0 ? [] : [`without a certificate of its own yet: ${uncertified.join(', ')}`] }
}

/** The scorecard of a scenario that could not be played to its end: it has failed, whatever it expects. */
export function brokenCard(
  { name, reason, hypothesis, faults }: Scenario,
  { file, seed, objectiveMs, digest }: Beside,
  { why, realSpeed }: { readonly why: string; readonly realSpeed: number | null },
): Scorecard {
  return {
    file, name, reason, seed, realSpeed,
    verdict: 'failed',
    hypothesis: { before: hypothesis, held: false },
    faults: faults.map(({ id, when, do: does }) => ({ id, when, does, inflictedMs: null, struck: null })),
    recovery: { objectiveMs: objectiveMs ?? null, tookMs: null, but: [] },
    did: [],
    asked: null,
    expectations: [{ what: 'the scenario is played to its end', held: false, found: why }],
    neverFired: [],
    violations: [],
    events: { count: 0, digest },
  }
}

function lastWords(said: string): readonly string[] {
  return said.trim().split('\n').slice(-12)
}

/** The same for eyes. */
export function scorecardLines(card: Scorecard, verbose = false): readonly string[] {
  const { name, file, verdict, hypothesis, faults, recovery, did, asked, expectations, neverFired, events } = card
  const failed = expectations.filter(({ held }) => held === false)
  return [
    `── ${name} ── ${verdict.toUpperCase()}`,
    `   ${file}, ${playedLine(card)}`,
    `Before: ${hypothesis.before}`,
    `After:  ${hypothesis.held ? 'it held' : afterLine(failed.length, neverFired.length)}`,
    'Faults:',
    ...faults.flatMap((fault, index) => faultLines(fault, index + 1)),
    `Recovery: ${asked === null ? 'not known' : recoveryLine(recovery, card.realSpeed === null)}`,
    ...(asked === null ? ['What the operator did, and was asked, is not known.'] : operatorLines(did, asked, verbose)),
    'Expectations:',
    ...neverFired.map((line) => `  ✗ ${line}`),
    ...expectations.map(({ what, held, found }) => `  ${signOf(held)} ${what}${found === undefined || held === true ? '' : `; found: ${found}`}`),
    ...(verbose ? [`Events: ${events.count}, ${events.digest}`] : []),
  ]
}

function operatorLines(did: Scorecard['did'], asked: Evidence['asked'], verbose: boolean): readonly string[] {
  return [
    'The operator did:',
    ...did.flatMap(({ line, endMs, outcome, lastWords: words }) => [
      `  ${line}${outcome === null ? '' : `: ${outcome}`} (until ${durationText(endMs)})`,
      ...(outcome === null || (outcome === 'succeeded' && !verbose) ? [] : words.map((word) => `    | ${word}`)),
    ]),
    ...(asked.length === 0 ? ['Nothing was asked of the operator.'] : ['The operator was asked:']),
    ...asked.map(({ atMs, step, asks, text, answer }) => `  ${durationText(atMs)}: ${asks} of ${step}: ${text.split('\n')[0] ?? ''} → ${answer ?? 'unanswered'}`),
  ]
}

function playedLine({ seed, realSpeed }: Scorecard): string {
  return realSpeed === null ? `seed ${seed}` : `for real, in a world ${realSpeed} times as fast; times are the world's, and not promised`
}

function signOf(held: boolean | null): string {
  if (held === null) return '·'
  return held ? '✓' : '✗'
}

function afterLine(failed: number, neverFired: number): string {
  const parts = [...(failed === 0 ? [] : [`${failed} of its expectations did not`]), ...(neverFired === 0 ? [] : [`${neverFired} of its faults never fired`])]
  return `it did not hold: ${parts.join(', and ')}`
}

function faultLines({ id, does, inflictedMs, struck }: Scorecard['faults'][number], number: number): readonly string[] {
  if (struck === null) return [`  ${number} ${id} (${does.kind}): not known`]
  if (inflictedMs === null) return [`  ${number} ${id} (${does.kind}): never`]
  const [first] = struck
  if (first === undefined) return [`  ${number} ${id} (${does.kind}): at ${durationText(inflictedMs)}, and nothing met it`]
  const more = struck.length > 1 ? `, and ${struck.length - 1} more` : ''
  return [`  ${number} ${id} (${does.kind}): at ${durationText(first.atMs)}, ${first.what}${more}`]
}

/** `isPromised`: whether the time that it took can be held against the objective. */
function recoveryLine({ objectiveMs, tookMs, but }: Scorecard['recovery'], isPromised: boolean): string {
  const objective = objectiveMs === null ? 'the runbook has no objective' : `objective ${durationText(objectiveMs)}`
  const against = but.map((one) => `; ${one}`).join('')
  if (tookMs === null) return `none; ${objective}${against}`
  if (objectiveMs === null || !isPromised) return `${durationText(tookMs)}; ${objective}${against}`
  const apart = durationText(Math.abs(objectiveMs - tookMs))
  return `${durationText(tookMs)}; ${objective}, ${tookMs <= objectiveMs ? `met with ${apart} to spare` : `missed by ${apart}`}${against}`
}

/** One line over all. */
export function sumLine(cards: readonly Scorecard[]): string {
  const passed = cards.filter(({ verdict }) => verdict === 'passed').length
  const struck = cards.flatMap(({ faults }) => faults).filter(({ struck: met }) => met !== null && met.length > 0).length
  return `${cards.length} ${cards.length === 1 ? 'scenario' : 'scenarios'}: ${passed} passed, ${cards.length - passed} failed; ${struck} ${struck === 1 ? 'fault' : 'faults'} struck`
}
