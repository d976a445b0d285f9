import { spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { RunEvent } from '../../src/contract/index.js'
import { searchSaid, watchingProcesses } from './leaks.js'

export const root = fileURLToPath(new URL('../..', import.meta.url))
export const data100 = join(root, 'runbooks/data100.yaml')

export interface Ended {
  /** 128 + signal number, as a shell tells it, for a process that was killed. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunningCli {
  readonly child: ChildProcess
  /** Resolves when the process is gone and its output read to the end. */
  readonly ended: Promise<Ended>
  /** Resolves with the first event that passes; rejects if the process ends before. Needs `--json`. */
  until(test: (event: RunEvent, seen: readonly RunEvent[]) => boolean): Promise<RunEvent>
  readonly events: readonly RunEvent[]
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'lifeboat-test-'))
}

/** The event that a line is, or undefined for the line of a plan or a table: commands without `--json` print those. */
function eventIn(line: string): RunEvent | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const value = JSON.parse(line) as Partial<RunEvent>
    return value.type === undefined ? undefined : (value as RunEvent)
  } catch {
    return undefined
  }
}

/** What a program under test is given: nothing of this process's environment but PATH, and where temporary files go. */
export const bareEnv = (env: Readonly<Record<string, string>>): Record<string, string> => {
  return { PATH: process.env['PATH'] ?? '', TMPDIR: tmpdir(), HOME: '/nonexistent', TZ: 'UTC', ...env }
}

/** Starts the real, built CLI as a process. */
export function lifeboat(args: readonly string[], env: Readonly<Record<string, string>> = {}): RunningCli {
  const child = spawn(process.execPath, [join(root, 'dist/main.js'), ...args], {
    cwd: root,
    env: { ...watchingProcesses(), ...bareEnv(env) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return watched(child)
}

/** Collects what a process says, and its events; what it said last is read even where that comes after its end. */
export function watched(child: ChildProcessByStdio<null, Readable, Readable>): RunningCli {
  const events: RunEvent[] = []
  const watchers = new Set<() => void>()
  let isRead = false
  let stdout = ''
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  createInterface({ input: child.stdout }).on('line', (line) => {
    stdout += `${line}\n`
    const event = eventIn(line)
    if (event !== undefined) events.push(event)
    for (const watch of [...watchers]) watch()
  })
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      isRead = true
      searchSaid(`what ${child.spawnargs.slice(1, 4).join(' ')} says`, stdout + stderr)
      resolve({ code, signal, stdout, stderr })
      for (const watch of [...watchers]) watch()
    })
  })
  const until: RunningCli['until'] = (test) =>
    new Promise((resolve, reject) => {
      let looked = 0
      const watch = (): void => {
        for (; looked < events.length; looked += 1) {
          const event = events[looked] as RunEvent
          if (!test(event, events.slice(0, looked + 1))) continue
          watchers.delete(watch)
          resolve(event)
          return
        }
        if (isRead) {
          watchers.delete(watch)
          reject(new Error(`it ended before that happened:\n${stderr}`))
        }
      }
      watchers.add(watch)
      watch()
    })
  return { child, ended, until, events }
}
