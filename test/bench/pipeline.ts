import { inChild } from './child.js'
import type { PipelineRun } from './pipeline-child.js'
import { atMost, type Benchmark, type Result } from './result.js'

const sizes = [1_000, 5_000, 10_000] as const
const mebibyte = 1024 * 1024

/** Runs of generated runbooks whose steps have nothing to do: what is left is what the engine and the journal cost. */
export const pipeline: Benchmark = {
  name: 'pipeline',
  async measure(say) {
    const stepMs = new Map<number, number>()
    const results: Result[] = []
    for (const size of sizes) {
      const run = await inChild<PipelineRun>('pipeline-child.ts', [String(size)])
      const totalMs = run.parseMs + run.planMs + run.runMs
      stepMs.set(size, totalMs / size)
      say(
        `${size} steps: ${(totalMs / size).toFixed(2)} ms a step (parse ${run.parseMs.toFixed(0)}, plan ${run.planMs.toFixed(0)}, ` +
          `run ${run.runMs.toFixed(0)} ms, ${run.syncs} syncs; ${(run.cpuMs / size).toFixed(2)} ms a step of processor time), ${(run.peakBytes / mebibyte).toFixed(0)} MiB`,
      )
      if (size === 5_000) {
        results.push(
          atMost('pipeline.step', totalMs / size, 2, 'ms/step at 5000'),
          atMost('pipeline.memory', run.peakBytes / mebibyte, 300, 'MiB at 5000'),
        )
      }
    }
    const [small, , large] = sizes
    const growth = (stepMs.get(large) ?? Number.NaN) / (stepMs.get(small) ?? Number.NaN)
    // Linear: a step costs the same whatever its number. Half as much again is left to the garbage collector.
    return [...results, atMost('pipeline.growth', growth, 1.5, 'x of ms/step from 1000 to 10000')]
  },
}
