import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from '../helpers/cli.js'
import { atMost, median, type Benchmark } from './result.js'

const rounds = 21
const main = join(root, 'dist/main.js')

/** `--version` and `--help` against a Node that does nothing, taken in turns, so that a busy machine is busy for all. */
export const startup: Benchmark = {
  name: 'startup',
  async measure(say) {
    const commands = { empty: ['-e', '0'], version: [main, '--version'], help: [main, '--help'] }
    const times: Record<keyof typeof commands, number[]> = { empty: [], version: [], help: [] }
    for (let round = 0; round < rounds; round += 1) {
      for (const [name, args] of Object.entries(commands)) times[name as keyof typeof commands].push(realMs(args))
    }
    const empty = median(times.empty)
    say(`node -e 0 takes ${empty.toFixed(0)} ms here, the median of ${rounds}`)
    return [
      atMost('startup.version', median(times.version) / empty, 2, 'x of node -e 0'),
      atMost('startup.help', median(times.help) / empty, 2, 'x of node -e 0'),
    ]
  },
}

function realMs(args: readonly string[]): number {
  const before = performance.now()
  const { status } = spawnSync(process.execPath, args, { stdio: 'ignore' })
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${String(status)}`)
  return performance.now() - before
}
