import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock, OwnProgram } from '../../src/contract/index.js'
import { clockOf } from '../../src/platform/clock/clock.js'
import { SystemExec } from '../../src/platform/exec/exec.js'
import type { Child, ChildLog } from '../../src/platform/scope.js'
import { holder } from './leaks.js'

/** Keeps what a journal would. */
export class RecordedChildren implements ChildLog {
  readonly startedOnes: Child[] = []
  /** As the next life of the run knows them. */
  readonly programs: OwnProgram[] = []
  readonly endedOnes: { child: Child; exitCode: number | null; signal: string | null }[] = []

  async started(child: Child): Promise<void> {
    this.startedOnes.push(child)
    this.programs.push({ command: child.command, startedAt: new Date() })
  }

  async ended(child: Child, how: { exitCode: number | null; signal: string | null }): Promise<void> {
    this.endedOnes.push({ child, ...how })
  }
}

/** Real processes, in a private folder of their own, on a clock of real time. */
export function execFor(children: ChildLog = new RecordedChildren(), clock: Clock = clockOf({})): { exec: SystemExec; secrets: string } {
  // Stands for the private folder of a run.
  const secrets = holder(mkdtempSync(join(tmpdir(), 'lifeboat-doors-')))
  return { exec: new SystemExec({ clock, children, site: `test@${secrets}`, path: process.env['PATH'] ?? '', secrets }), secrets }
}
