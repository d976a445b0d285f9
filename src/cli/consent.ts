import type { RecordData } from '../journal/index.js'
import { confirmByName } from '../render/index.js'
import { exit } from './exit.js'
import { usageError } from './guard.js'
import type { Invocation } from './invocation.js'
import type { CommonOptions } from './options.js'
import type { Screen } from './screen.js'

/** Said before anything is read: what a run without a terminal would be asked and nobody could answer. */
export function refuseWithoutName(name: string, options: CommonOptions, screen: Screen): void {
  if (screen.canAsk || options.confirm !== undefined) return
  throw usageError('nobody is there to confirm this run', `Without a terminal, add --confirm=${name} (and --yes where there are gates).`)
}

/** Is there a gate or a manual step that no flag passes? */
export function needsSomebody(nodes: readonly { readonly kind: string }[], { yes, gate }: CommonOptions): boolean {
  return yes !== true && nodes.some(({ kind }) => kind === 'manual' || (kind === 'gate' && gate !== 'auto'))
}

/** The runbook's name, typed or by `--confirm`: how it was given, or the exit code with which to end. */
export async function consentByName(
  name: string,
  options: CommonOptions,
  invocation: Invocation,
  screen: Screen,
): Promise<RecordData['run.started']['confirmed'] | number> {
  if (options.confirm !== undefined) {
    if (options.confirm === name) return 'flag'
    throw usageError(`--confirm=${options.confirm} is not the name of this runbook`, `It is ${name}.`)
  }
  if (await confirmByName(screen.asker, name, [], invocation.interrupts.signal)) return 'typed'
  screen.notice('Declined; nothing was changed.')
  return exit.declined
}
