import { LifeboatError } from '../../contract/index.js'
import type { Child } from '../scope.js'
import type { Command, Exec, ExecOptions, Finished } from './command.js'
import { stepAtWork } from '../log/step.js'
import { commandEntry, writesOf } from './log-entry.js'
import type { Running, Said, Starter } from './starter.js'

/** Real milliseconds between SIGTERM and SIGKILL. */
const graceMs = 10_000

/** How often, in real milliseconds, the output of a command at work is looked at, and how much of its end. */
const followEveryMs = 500
const followBytes = 4096

/** Why nobody waits for a deadline any more; the usual reason is an error with a stack, made each time. */
const ended = 'ended'

/** Runs commands on whatever starts them: their deadlines, their place in the journal, and what is told of them. */
export class Runner implements Exec {
  readonly #options: ExecOptions
  readonly #starter: Starter

  constructor(options: ExecOptions, starter: Starter) {
    this.#options = options
    this.#starter = starter
  }

  async run(command: Command): Promise<Finished> {
    const { file, signal } = command
    signal?.throwIfAborted()
    if (!(await this.#starter.canRun(file))) {
      throw new LifeboatError('exec.missing', `${file} cannot be run`, { blame: 'user', hint: 'Install it, or put it on PATH.' })
    }
    const { clock, log } = this.#options
    if (log === undefined) return this.#toItsEnd(command)
    const startedMs = clock.realNow().getTime()
    const tell = (ended: Finished | { readonly error: unknown }): void =>
      log(commandEntry({ ...command, say: sayOf(command) }, ended, clock.realNow().getTime() - startedMs))
    try {
      const finished = await this.#toItsEnd(command)
      tell(finished)
      return finished
    } catch (error) {
      tell({ error })
      throw error
    }
  }

  #toItsEnd(command: Command): Promise<Finished> {
    return command.survivor === undefined ? this.#read(command) : this.#write(command, command.survivor)
  }

  async #read(command: Command): Promise<Finished> {
    const child = this.#starter.startReader(command)
    const result = await this.#whole(command, child)
    if (result.isMaxBuffer) throw new LifeboatError('exec.output', `\`${sayOf(command)}\` says more than it may`, { blame: 'tool' })
    return { exitCode: result.exitCode ?? -1, stdout: result.stdout ?? '', stderr: result.stderr ?? '' }
  }

  /**
   * A child that may change the world waits until it stands in the journal. If we die before that it ends without having
   * done anything; if we die later it goes on, writing its output to files, since a pipe without a reader would kill it.
   */
  async #write(command: Command, survivor: Child['survivor']): Promise<Finished> {
    const held = await this.#starter.startHeld(command, survivor)
    const { output } = held
    try {
      const child = await this.#journal(command, survivor, held.child)
      this.#options.log?.({ kind: 'sending', step: stepAtWork(), writes: writesOf(command) })
      held.letGo()
      const following = this.#follow(command, held.child, output)
      const { exitCode } = await this.#journaledEnd(command, held.child, child, following)
      return { exitCode: exitCode ?? -1, ...(await output.read(command.keepEndBytes)) }
    } finally {
      await output.remove()
    }
  }

  /** Journals how it ended, also where it was ended by us. */
  async #journaledEnd(command: Command, running: Running, child: Child, following: Promise<void>): Promise<Awaited<Running>> {
    try {
      return await this.#whole(command, running)
    } finally {
      const { exitCode, signal } = await running
      await following
      await this.#options.children.ended(child, { exitCode: exitCode ?? null, signal: signal ?? null })
    }
  }

  /** Passes on the last whole line of either output, until the child has ended. */
  async #follow({ onLine }: Command, child: Running, output: Said): Promise<void> {
    if (onLine === undefined) return
    const over = new AbortController()
    const end = (): void => over.abort()
    child.then(end, end)
    let last: string | undefined
    while (await this.#options.clock.sleepReal(followEveryMs, over.signal).then(() => true, () => false)) {
      const { stdout, stderr } = await output.read(followBytes)
      const line = lastWholeLine(stderr) ?? lastWholeLine(stdout)
      if (line !== undefined && line !== last) onLine(line)
      last = line
    }
  }

  /** Ends the child again if it cannot be journaled: nobody would know of it. */
  async #journal(command: Command, survivor: Child['survivor'], running: Running): Promise<Child> {
    try {
      const { pid } = running
      const started = pid === undefined ? undefined : await this.#starter.startOf(pid)
      if (pid === undefined || started === undefined) {
        throw new LifeboatError('exec.killed', `\`${sayOf(command)}\` ended before it began`, { retry: {} })
      }
      const child = { pid, started, host: this.#starter.host, command: sayOf(command), survivor }
      await this.#options.children.started(child)
      return child
    } catch (error) {
      if (running.pid !== undefined) this.#starter.signalGroup(running.pid, 'SIGKILL')
      await running
      throw error
    }
  }

  /** The child's end, by itself or by us: SIGTERM when time is up or the run is stopped, SIGKILL ten seconds later. */
  async #whole(command: Command, child: Running): Promise<Awaited<Running>> {
    const over = new AbortController()
    const reason = this.#endWhenAsked(command, child, over.signal)
    const result = await child.finally(() => over.abort(ended))
    const why = await reason
    if (command.survivor !== 'await') command.signal?.throwIfAborted()
    if (why === 'timeout') {
      const seconds = Math.round((command.timeoutMs ?? 0) / 1000)
      throw new LifeboatError('exec.timeout', `\`${sayOf(command)}\` was not done after ${seconds} s`, { retry: {} })
    }
    if (result.exitCode === undefined && !result.isMaxBuffer) {
      throw new LifeboatError('exec.killed', `\`${sayOf(command)}\` was ended by ${result.signal ?? 'the system'}`, { retry: {} })
    }
    return result
  }

  async #endWhenAsked({ timeoutMs, signal, survivor }: Command, child: Running, over: AbortSignal): Promise<'timeout' | undefined> {
    const asked = signal === undefined || survivor === 'await' ? over : AbortSignal.any([over, signal])
    const { clock } = this.#options
    const timedOut = await clock.sleepReal(timeoutMs ?? Number.MAX_SAFE_INTEGER, asked).then(() => true, () => false)
    if (over.aborted || child.pid === undefined) return undefined
    this.#starter.signalGroup(child.pid, 'SIGTERM')
    const ended = await clock.sleepReal(graceMs, over).then(() => false, () => true)
    if (!ended) this.#starter.signalGroup(child.pid, 'SIGKILL')
    return timedOut ? 'timeout' : undefined
  }
}

function sayOf({ file, args, say }: Command): string {
  return say ?? [file.split('/').at(-1), ...args].join(' ')
}

function lastWholeLine(text: string): string | undefined {
  return text.split('\n').slice(0, -1).findLast((line) => line.trim() !== '')
}
