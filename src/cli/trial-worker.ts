import { createInterface } from 'node:readline'
import { errorFacts } from '../contract/index.js'
import { workOnFilesAtOnce } from '../virtual/files.js'
import { exit } from './exit.js'
import type { Invocation } from './invocation.js'
import { Jobs, type Job } from './trial/job.js'

/** `lifeboat trial-worker`, hidden: jobs on standard input, a line of JSON each; their results on standard output. */
export async function trialWorker(_args: readonly string[], _options: object, invocation: Invocation): Promise<number> {
  const { output, env, self, interrupts, program } = invocation
  if (program === undefined) return exit.usage
  workOnFilesAtOnce()
  const jobs = new Jobs({ env, self, program, signal: interrupts.signal })
  for await (const line of createInterface({ input: output.streams.stdin })) {
    const answer = await jobs.do(JSON.parse(line) as Job).catch((error: unknown) => ({ failed: errorFacts(error) }))
    output.data(`${JSON.stringify(answer)}\n`)
  }
  return exit.done
}
