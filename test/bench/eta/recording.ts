import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../helpers/cli.js'

export const recordings = join(root, 'fixtures/rehearsals')

/** What is kept of a rehearsal; milliseconds of the run's clock, moments since its start. */
export interface Recording {
  readonly seed: number
  readonly speed: number
  readonly totalMs: number
  /** As planned, in the plan's order, and as it went. */
  readonly steps: readonly {
    readonly id: string
    readonly uses: string
    readonly needs: readonly string[]
    readonly estimateMs: number
    /** How many were planned. */
    readonly changes: number
    readonly startedMs: number
    readonly endedMs: number
    /** As the journal has it; 0 for a gate. */
    readonly elapsedMs: number
  }[]
}

/** All that `record.ts` has kept, by their seeds. */
export function recorded(): readonly Recording[] {
  const files = readdirSync(recordings).filter((name) => name.endsWith('.json'))
  const all = files.map((name) => JSON.parse(readFileSync(join(recordings, name), 'utf8')) as Recording)
  return all.sort((one, other) => one.seed - other.seed)
}
