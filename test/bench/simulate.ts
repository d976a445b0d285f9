import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { data100, root } from '../helpers/cli.js'
import { atLeast, atMost, type Benchmark } from './result.js'

/** Enough for the workers' start to weigh what it weighs in a thousand. */
const seeds = 160
/** Of the crash points of data100 one of so many: about fifty. */
const every = 40

interface Simulated {
  readonly seeds: number
  readonly lives: number
  readonly wrong: readonly unknown[]
}

interface Tried {
  readonly tried: number
  readonly wrong: readonly unknown[]
}

/** How many seeded failovers, and how many crash points, this machine plays in a second. */
export const simulate: Benchmark = {
  name: 'simulate',
  async measure(say) {
    const played = await timed<Simulated>(['simulate', data100, '--seeds', String(seeds)])
    const { lives, wrong } = played.result
    say(`${seeds} seeds, ${lives} lives, ${wrong.length} went wrong; ${(played.seconds / lives).toFixed(3)} s a life`)
    const drawn = await timed<Simulated>(['simulate', '--seeds', String(seeds)])
    say(`${seeds} seeds of drawn sites, ${drawn.result.lives} lives, ${drawn.result.wrong.length} went wrong`)
    const crashed = await timed<Tried>(['crash-test', data100, '--every', String(every)])
    const { tried } = crashed.result
    say(`${tried} crash points, ${crashed.result.wrong.length} went wrong`)
    const allWrong = [wrong, drawn.result.wrong, crashed.result.wrong].flat().length
    return [
      atMost('simulate.wrong', allWrong, 0, 'seeds and crash points that went wrong'),
      atLeast('simulate.seeds', seeds / played.seconds, 2, 'seeds of data100 a second'),
      atLeast('simulate.drawn', seeds / drawn.seconds, 2, 'seeds of drawn sites a second'),
      // Two thousand of them must not take longer than a coffee break.
      atLeast('simulate.crash-points', tried / crashed.seconds, 1, 'crash points of data100 a second'),
    ]
  },
}

/** A command of the built program that prints one JSON object, and how long it took. */
async function timed<T>(args: readonly string[]): Promise<{ readonly result: T; readonly seconds: number }> {
  const before = performance.now()
  const child = spawn(process.execPath, [join(root, 'dist/main.js'), ...args, '--json', '--quiet'], { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] })
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  await once(child, 'close')
  return { result: JSON.parse(stdout) as T, seconds: (performance.now() - before) / 1000 }
}
