import { LifeboatError } from '../contract/index.js'
import { fidelityOf } from '../engine/index.js'
import { fidelityLines, paintFor, type FidelityInput } from '../render/index.js'
import { begun } from './begun.js'
import { exit } from './exit.js'
import { guarded, usageError } from './guard.js'
import type { CommonOptions } from './options.js'
import type { Invocation } from './invocation.js'
import { sentWrites } from './sent-writes.js'
import { noRuns, stateFolder } from './state.js'

export interface ReportOptions extends CommonOptions {
  /** What was predicted beside what was sent. */
  readonly fidelity?: boolean
}

/** `lifeboat report [RUN] --fidelity`: how well the plan foretold what a run wrote; without RUN the latest. Reads only. */
export async function report(args: readonly string[], options: ReportOptions, invocation: Invocation): Promise<number> {
  return guarded(options, invocation, async () => {
    if (options.fidelity !== true) {
      throw usageError('report needs a flag that says what to report', 'There is --fidelity: what the plan predicted beside what the run has sent.')
    }
    const folder = stateFolder(options, invocation)
    const run = args[0] ?? (await folder.runs())[0]?.run
    if (run === undefined) throw noRuns(options)
    const { records } = await folder.read(run)
    const state = begun(run, records)
    if (state.planned?.marks === undefined) throw notPredicted(run)
    const fidelity = fidelityOf(state, await sentWrites(folder.paths(run).log, records))
    const input: FidelityInput = {
      run,
      runbook: state.runbook.name,
      mode: state.mode,
      ...(state.undoes === undefined ? {} : { undoes: state.undoes }),
      lives: state.resumes + 1,
      isOver: state.status === 'finished',
      ...fidelity,
    }
    const { output, env } = invocation
    if (options.json === true) {
      output.data(`${JSON.stringify({ type: 'fidelity', version: 1, ...input })}\n`)
    } else {
      const paint = paintFor({ env, isTerminal: output.outputIsTerminal, flag: options.color })
      const style = { paint, columns: output.dataColumns, verbose: options.verbose === true }
      output.data(`${fidelityLines(input, style).join('\n')}\n`)
    }
    return exit.done
  })
}

function notPredicted(run: string): LifeboatError {
  return new LifeboatError('report.not-predicted', `run ${run} was planned by a lifeboat that did not predict writes`, {
    blame: 'user',
    hint: 'Nothing is worked out afterwards: only what was shown before a run can be held against it.',
  })
}
