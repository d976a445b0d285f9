import { inChild } from './child.js'
import type { ResumeRun } from './resume-child.js'
import { atMost, type Benchmark } from './result.js'

const records = 100_000
const mebibyte = 1024 * 1024

/** A resume from a very long journal, up to the moment in which the first step is looked at. */
export const resume: Benchmark = {
  name: 'resume',
  async measure(say) {
    const run = await inChild<ResumeRun>('resume-child.ts', [String(records)])
    say(`${run.records} records, ${(run.bytes / mebibyte).toFixed(0)} MiB; ${run.cpuMs.toFixed(0)} ms of processor time; peak memory ${(run.peakBytes / mebibyte).toFixed(0)} MiB`)
    say(`merely reading the same file, its JSON and its checksums takes ${run.plainMs.toFixed(0)} ms here`)
    return [
      atMost('resume.first-look', run.resumeMs / 1000, 2, 's from 100000 records'),
      // All that a resume does besides: fold, tell the screen what was, look for survivors, work out claims.
      atMost('resume.against-reading', run.resumeMs / run.plainMs, 4, 'x of merely reading it'),
    ]
  },
}
