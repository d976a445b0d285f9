import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from '../helpers/cli.js'
import { withOneRun } from '../helpers/one-run.js'
import { atMost, median, type Benchmark } from './result.js'

const rounds = 21
const main = join(root, 'dist/main.js')

/** Commands that do something: these end by themselves before they reach any cloud. */
const runbook = join(root, 'runbooks/data100.yaml')
const slow = {
  run: [main, 'run', runbook, '--confirm=none'],
  validate: [main, 'validate', runbook],
  status: [main, 'status', '--state-dir', withOneRun()],
  runs: [main, 'runs', '--state-dir', withOneRun()],
  report: [main, 'report', '--fidelity', '--state-dir', withOneRun()],
}

/**
 * `--version` and `--help` against a Node that does nothing, and how long after such a Node's end a slow command says its first word.
 * Taken in turns, so that a busy machine is busy for all.
 */
export const startup: Benchmark = {
  name: 'startup',
  async measure(say) {
    const commands = { empty: ['-e', '0'], version: [main, '--version'], help: [main, '--help'] }
    const times: Record<keyof typeof commands, number[]> = { empty: [], version: [], help: [] }
    const firsts: Record<keyof typeof slow, number[]> = { run: [], validate: [], status: [], runs: [], report: [] }
    for (let round = 0; round < rounds; round += 1) {
      for (const [name, args] of Object.entries(commands)) times[name as keyof typeof commands].push(realMs(args))
      for (const [name, args] of Object.entries(slow)) firsts[name as keyof typeof slow].push(await firstOutputMs(args))
    }
    const empty = median(times.empty)
    say(`node -e 0 takes ${empty.toFixed(0)} ms here, the median of ${rounds}`)
    return [
      atMost('startup.version', median(times.version) / empty, 2, 'x of node -e 0'),
      atMost('startup.help', median(times.help) / empty, 2, 'x of node -e 0'),
      ...Object.entries(firsts).map(([name, all]) => atMost(`startup.first-output.${name}`, median(all) - empty, 100, 'ms after node -e 0')),
    ]
  },
}

function realMs(args: readonly string[]): number {
  const before = performance.now()
  const { status } = spawnSync(process.execPath, args, { stdio: 'ignore' })
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${String(status)}`)
  return performance.now() - before
}

/** Milliseconds from the start of a process until it has said something. */
function firstOutputMs(args: readonly string[]): Promise<number> {
  const before = performance.now()
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  return new Promise((resolve, reject) => {
    let first: number | undefined
    const heard = (): void => void (first ??= performance.now() - before)
    child.stdout.on('data', heard)
    child.stderr.on('data', heard)
    child.on('error', reject)
    child.on('close', () => (first === undefined ? reject(new Error(`${args.join(' ')} said nothing`)) : resolve(first)))
  })
}
