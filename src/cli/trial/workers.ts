import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { LifeboatError, type ErrorFacts } from '../../contract/index.js'
import type { Invocation } from '../invocation.js'
import type { Job, Result } from './job.js'

/**
 * Jobs that one process does before another takes its place: what was killed in it is never quite forgotten. A new one costs seconds: its
 * first lives are slow, since all of its code is new to it.
 */
const jobsOfOne = 500

/**
 * For V8, since a life is much code of which little is hot, and every processor has a worker. Nothing is idle that could collect garbage
 * or compile beside it; most of what is made is soon garbage; what runs once or twice is compiled at once, but plainly; and a function is
 * optimized only when it has run about four times as long as usual, or most of that work is not paid back.
 */
const forShortLives = [
  '--single-threaded-gc',
  '--min-semi-space-size=32',
  '--max-semi-space-size=32',
  '--always-sparkplug',
  '--interrupt-budget=250000',
] as const

/**
 * Does jobs in processes of their own, one for each processor, and tells each result as it comes; whoever is told may ask for more jobs,
 * and after an `enough` no more are begun. They are apart from this one for two reasons: files must come in one order (a single thread
 * for them), and a life that was killed leaves its memory behind. What a worker cannot do, or has died of, goes to `lost`, and another
 * worker goes on with the others; without it `trial.failed` is thrown.
 */
export async function doAll(jobs: readonly Job[], invocation: Invocation, told: Told, lost?: Lost): Promise<void> {
  const { self, env, interrupts } = invocation
  const waiting = [...jobs]
  const begun: Promise<void>[] = []
  let atWork = 0
  // Theirs goes with this one, however they end.
  const folder = await mkdtemp(join(memoryFolder(), 'lifeboat-trials-'))
  const work = async (): Promise<void> => {
    while (waiting.length > 0) {
      await using worker = new Worker(self, { ...env, TMPDIR: folder }, interrupts.signal)
      for (let done = 0; done < jobsOfOne; done += 1) {
        if (interrupts.signal.aborted) return
        const job = waiting.shift()
        if (job === undefined) return
        const result = await worker.do(job).catch((error: unknown) => {
          // What was broken off in its midst has no result.
          if (interrupts.signal.aborted) return 'broken off' as const
          if (lost === undefined) throw error
          lost(job, error)
        })
        if (result === 'broken off') return
        if (result === undefined) break
        const more = told(result, job)
        if (more === 'enough') waiting.length = 0
        else if (more !== undefined) waiting.push(...more)
        // Whoever has asked for more goes on with the first of it.
        if (more !== undefined) begin(waiting.length - 1)
      }
    }
  }
  const begin = (wanted: number): void => {
    for (let count = Math.min(availableParallelism() - atWork, wanted); count > 0; count -= 1) {
      atWork += 1
      const one = work().finally(() => (atWork -= 1))
      // Where one fails, the others come to an end too.
      one.catch(() => (waiting.length = 0))
      begun.push(one)
    }
  }
  begin(waiting.length)
  // Some are begun meanwhile. Where one fails, the others come to the end of what they are at first: their worlds lie in that folder.
  const failures: unknown[] = []
  for (const one of begun) await one.catch((error: unknown) => failures.push(error))
  await rm(folder, { recursive: true, force: true })
  if (failures.length > 0) throw failures[0]
}

/** Told of each result; answers what further jobs there are now, or `enough`, which ends it. */
export type Told = (result: Result, job: Job) => readonly Job[] | 'enough' | undefined

/** Told of each job that has no result, and why. */
export type Lost = (job: Job, error: unknown) => void

class Worker implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #answers: AsyncIterator<string>
  #said = ''

  /** `signal` breaks off what takes minutes of the machine. */
  constructor(self: string, env: Invocation['env'], signal: AbortSignal) {
    this.#child = spawn(process.execPath, ['--no-warnings', ...forShortLives, self, 'trial-worker'], {
      // One thread for files: what is begun first ends first, in every run of the same seed.
      env: { ...env, UV_THREADPOOL_SIZE: '1' },
    })
    // Never the second signal, which would end it at once: at a terminal it has had the first one already.
    signal.addEventListener('abort', () => this.#child.kill('SIGHUP'), { once: true })
    // One that could not even be started is heard of as one that has ended.
    this.#child.on('error', ({ message }) => (this.#said = message))
    // One that has ended takes no more; that it has is heard from its answers.
    this.#child.stdin.on('error', () => undefined)
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#said = (this.#said + text).slice(-4000)))
  }

  async do(job: Job): Promise<Result> {
    this.#child.stdin.write(`${JSON.stringify(job)}\n`)
    const answer = await this.#answers.next()
    const line = answer.done === true ? undefined : (JSON.parse(answer.value) as Result | { readonly failed: ErrorFacts })
    if (line === undefined) throw new LifeboatError('trial.failed', `a worker has ended in the midst of its work: ${this.#said.trim()}`, { blame: 'tool' })
    if ('failed' in line) throw new LifeboatError('trial.failed', line.failed.message, line.failed)
    return line
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { exitCode, signalCode } = this.#child
    if (exitCode !== null || signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.stdin.end()
    await ended
  }
}

/** Where journals are synced to memory only: nothing here has to outlive a power cut. */
function memoryFolder(): string {
  try {
    accessSync('/dev/shm', constants.W_OK)
    return '/dev/shm'
  } catch {
    return tmpdir()
  }
}
