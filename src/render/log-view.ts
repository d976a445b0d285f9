import type { LogEntry } from '../contract/index.js'
import { cut, oneLine } from './text.js'

const longest = 200

/** An entry of a run's log for `--debug`: a line, and an error's stack below it. The log itself has all of it. */
export function logLines(entry: LogEntry): readonly string[] {
  const head = (text: string): string => oneLine(`debug ${entry.step}: ${text}`)
  if (entry.kind === 'error') {
    const stack = entry.stack.flatMap((one) => one.split('\n')).map((line) => `  ${oneLine(line)}`)
    return [head(`${entry.message} [${entry.code}]`), ...stack]
  }
  // It is told by what came of it.
  if (entry.kind === 'sending') return []
  return [head(`${entry.kind === 'request' ? sayRequest(entry) : sayCommand(entry)} (${Math.round(entry.tookMs)} ms)`)]
}

type Of<K extends LogEntry['kind']> = Extract<LogEntry, { kind: K }>

function sayRequest({ method, url, status, failure }: Of<'request'>): string {
  return `${method} ${url} ${failure ?? String(status)}`
}

function sayCommand({ command, exitCode, failure, stderr }: Of<'command'>): string {
  const said = stderr === undefined ? '' : `, says: ${cut(oneLine(stderr), longest)}`
  return `$ ${cut(oneLine(command), longest)} ${failure ?? `exit ${String(exitCode)}`}${said}`
}
