import type { Place } from '../contract/index.js'
import type { RecordData } from '../journal/index.js'
import { confirmByName, placesLines, wrap } from '../render/index.js'
import type { Runbook } from '../runbook/index.js'
import { exit } from './exit.js'
import { usageError } from './guard.js'
import type { Invocation } from './invocation.js'
import type { CommonOptions } from './options.js'
import type { Screen } from './screen.js'

/** Said before anything is read: a name that is not this runbook's, and what a run without a terminal would be asked in vain. */
export function refuseWithoutName(name: string, { confirm }: CommonOptions, screen: Screen): void {
  if (confirm === name) return
  if (confirm !== undefined) throw usageError(`--confirm=${confirm} is not the name of this runbook`, `It is ${name}.`)
  if (screen.canAsk) return
  throw usageError('nobody is there to confirm this run', `Without a terminal, add --confirm=${name} (and --yes where there are gates).`)
}

/** Is there a gate or a manual step that no flag passes? */
export function needsSomebody(nodes: readonly { readonly kind: string }[], { yes, gate }: CommonOptions): boolean {
  return yes !== true && nodes.some(({ kind }) => kind === 'manual' || (kind === 'gate' && gate !== 'auto'))
}

/** The same of gates and manual steps. Whether this run would come to them is known only once all has been read. */
export function refuseWithoutAnybody({ name, nodes }: Pick<Runbook, 'name' | 'nodes'>, options: CommonOptions, screen: Screen): void {
  if (screen.canAsk || !needsSomebody(nodes, options)) return
  throw usageError(`${name} has gates, and nobody is there to pass them`, 'Without a terminal, add --yes to pass gates and manual steps.')
}

/** What is agreed to by typing a name. */
export interface Agreed {
  readonly what: string
  readonly places: readonly Place[]
  /** Runs at work that would be displaced. */
  readonly displaced: readonly string[]
}

/** Machines that are made follow from groups, and a screen has few rows; one that is there may be the one that is cut off. */
function agreedLines({ what, places, displaced }: Agreed, columns: number): readonly string[] {
  return [...wrap(what, columns), ...displaced.flatMap((run) => wrap(run, columns)), ...placesLines(places.filter(({ kind, made }) => kind !== 'machine' || !made), columns)]
}

/**
 * The runbook's name, typed or by `--confirm` (`refuseWithoutName` has looked at that): how it was given, or the exit code with which
 * to end. `agreed` is shown over the question, since the head of the plan has scrolled away: what it is that is agreed to, and where.
 */
export async function consentByName(
  name: string,
  agreed: Agreed,
  options: CommonOptions,
  invocation: Invocation,
  screen: Screen,
): Promise<RecordData['run.started']['confirmed'] | number> {
  if (options.confirm !== undefined) return 'flag'
  const context = agreedLines(agreed, invocation.output.columns - 1)
  const answer = await confirmByName(screen.asker, name, context, invocation.interrupts.signal)
  if (answer === 'typed') return 'typed'
  screen.notice(answer === 'left' ? 'Declined; nothing was changed.' : 'None of these is its name; nothing was changed.')
  return exit.declined
}

/** Nothing real is touched: whoever sees what would be put back says yes or no, and without a terminal or with `--yes` not even that. */
export async function consentToRehearsedUndo(
  { yes, confirm }: CommonOptions,
  { interrupts }: Invocation,
  screen: Screen,
  displaced: readonly string[],
): Promise<'rehearsal' | number> {
  if (yes === true || confirm !== undefined || !screen.canAsk) return 'rehearsal'
  const choices = [
    { value: 'go', name: 'Put it back' },
    { value: 'stop', name: 'Leave it as it is' },
  ] as const
  const choice = await screen.asker.select({ title: 'Put back what this rehearsal has changed in its world?', about: displaced }, choices, interrupts.signal)
  if (choice === 'go') return 'rehearsal'
  screen.notice('Declined; nothing was changed.')
  return exit.declined
}
