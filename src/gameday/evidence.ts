import type { RunEvent } from '../contract/index.js'
import type { WorldView } from './oracle/world-view.js'
import type { outcomes } from './expectations.js'
import type { Act } from './operator.js'
import type { Asked } from './script.js'
import { callMatcher } from './selector.js'
import type { FaultRecord } from './timeline.js'

/** `crashed`: by an exit code that the program never gives of itself. No scenario can expect that. */
export type Outcome = (typeof outcomes)[number] | 'crashed'

/** A command that was typed in a play, or something else that the operator did. */
export interface Deed {
  /** `aside`: somebody else did it, while the operator was at something. */
  readonly act: Act['kind'] | 'aside'
  readonly line: string
  readonly startMs: number
  readonly endMs: number
  /** Absent: it was no command of this program. */
  readonly outcome?: Outcome
  /** Its run puts another one back: an undo, or a resume of one. */
  readonly isUndo?: boolean
  /** Hubs that showed another certificate than their own when it was over. */
  readonly uncertified?: readonly string[]
  /** It succeeded: what was missing from a whole failover when it was over. */
  readonly missing?: readonly string[]
  /** It was advice to be followed, and no command was in it. */
  readonly isVain?: boolean
  /** What it said to the operator. */
  readonly said: string
}

/** All that a play has shown. Milliseconds are the world's, from the first command. */
export interface Evidence {
  /** How many times as fast as the machine the world went, where it was played for real; absent in virtual time. */
  readonly realSpeed?: number
  readonly start: WorldView
  readonly end: WorldView
  readonly deeds: readonly Deed[]
  readonly events: readonly RunEvent[]
  readonly asked: readonly Asked[]
  readonly unusedAnswers: readonly string[]
  readonly faults: readonly FaultRecord[]
  /** What was sent to Azure: method and path. */
  readonly calls: readonly { readonly method: string; readonly path: string }[]
  /** Files of the site that are asked about, by `ENV/NAME`. */
  readonly files: ReadonlyMap<string, string>
  /** What the oracle saw that must never happen. */
  readonly violations: readonly string[]
}

const outcomeOf: Readonly<Record<number, Outcome>> = { 0: 'succeeded', 1: 'stopped', 2: 'refused', 3: 'declined', 4: 'not-ready', 5: 'locked' }

/** By a command's exit code (`killed`: it had none). */
export function outcomeByCode(code: number | 'killed'): Outcome {
  return code === 'killed' ? 'killed' : (outcomeOf[code] ?? 'crashed')
}

/** One expectation, held against what happened. */
export interface Judged {
  readonly what: string
  /** Null: shown only. */
  readonly held: boolean | null
  /** What was there instead. */
  readonly found?: string
}

/** How often a call was sent. */
export function callsOf({ calls }: Pick<Evidence, 'calls'>, call: string): number {
  const fits = callMatcher(call)
  return calls.filter(({ method, path }) => fits(method, path)).length
}
