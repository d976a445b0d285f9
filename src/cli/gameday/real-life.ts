import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Duplex } from 'node:stream'
import type { Beside, Lived } from '../trial/typed.js'
import { tellingDescriptor, type LifeAnswer, type LifeClock, type LifeOrder, type LifeTells } from './life.js'
import type { Typed } from './stage.js'

export interface LifeOptions {
  /** Path of this program. */
  readonly self: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** A command that is at work in a process of its own, whose clock can be set. */
export interface RealLife extends Typed {
  setClock(aheadMs: number): void
}

/** Types a command as a process of its own: the program that people use, with this machine's programs and a real end. */
export function beginLife({ self, env }: LifeOptions, order: LifeOrder, { heard, operator }: Beside): RealLife {
  // A worker has one thread for files; a program that somebody types has as many as it wants.
  const shell = { ...env, UV_THREADPOOL_SIZE: undefined }
  const child = spawn(process.execPath, [self, 'gameday-life'], { env: shell, stdio: ['pipe', 'pipe', 'pipe', 'pipe'] })
  const [stdin, stdout, stderr] = child.stdio
  const telling = child.stdio[tellingDescriptor] as Duplex
  const said = { stdout: '', stderr: '' }
  const questions = new Map<number, AbortController>()
  let isKilled = false
  // Where it has ended, nobody reads what is said to it.
  for (const stream of [stdin, telling]) stream.on('error', () => undefined)
  stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text))
  stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text))
  const say = (line: LifeOrder | LifeAnswer | LifeClock): void => void stdin.write(`${JSON.stringify(line)}\n`)
  const hear = (line: LifeTells): void => {
    if ('event' in line) return heard?.(line.event)
    if ('withdrawn' in line) return questions.get(line.withdrawn)?.abort()
    const { question, number } = line
    const withdrawal = new AbortController()
    questions.set(number, withdrawal)
    operator?.ask(question, withdrawal.signal).then((answer) => say({ number, answer }), () => undefined)
  }
  createInterface({ input: telling }).on('line', (line) => {
    // What it told before it was killed is not heard any more.
    if (!isKilled) hear(JSON.parse(line) as LifeTells)
    if (!isKilled) telling.write('\n')
  })
  say(order)
  const lived = new Promise<Lived>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      for (const withdrawal of questions.values()) withdrawal.abort()
      resolve({ code: code ?? 'killed', ...said })
    })
  })
  return {
    lived,
    setClock: (clockAheadMs) => say({ clockAheadMs }),
    kill: () => {
      isKilled = true
      child.kill('SIGKILL')
    },
  }
}
