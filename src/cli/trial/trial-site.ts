import { LifeboatError } from '../../contract/index.js'
import { renderDiagnostic } from '../../runbook/index.js'
import { usageError } from '../guard.js'
import { readRunbook } from '../site.js'
import type { StageOptions } from './stage.js'

/** A runbook and the world that it is tried in. */
export interface TrialSite {
  readonly runbook: StageOptions['runbook']
  readonly world: string
}

/**
 * Where a runbook is tried: in the world that it rehearses in, unless another is given. Throws `runbook.invalid` with all that is wrong
 * with it, and `usage.wrong` if it names no world.
 */
export async function trialSite(path: string, world: string | undefined): Promise<TrialSite> {
  const { runbook, diagnostics } = await readRunbook(path)
  if (runbook === undefined) throw new LifeboatError('runbook.invalid', diagnostics.map(renderDiagnostic).join('\n'), { blame: 'user' })
  const file = world ?? runbook.rehearsal?.world
  if (file === undefined) throw usageError(`${runbook.name} names no world to be tried in`, 'Add `rehearsal: { world: FILE }` to it.')
  return { runbook: { name: runbook.name, path }, world: file }
}
