import { join } from 'node:path'
import { Writable } from 'node:stream'
import { Interrupts } from '../../src/cli/interrupts.js'
import { runProgram } from '../../src/cli/program.js'
import { Output } from '../../src/render/output.js'
import { bareEnv, root, type Ended } from './cli.js'
import { searchSaid } from './leaks.js'

/**
 * The whole program but main.ts, in this process: on the same doors as `lifeboat`, without two seconds of a processor for loading
 * it each time. For what only reads or is refused; whatever runs steps, is stopped or killed, or is about processes goes by `lifeboat`.
 */
export async function lifeboatHere(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Omit<Ended, 'signal'>> {
  const said = { stdout: '', stderr: '' }
  const into = (stream: keyof typeof said): Writable =>
    new Writable({
      decodeStrings: false,
      write(text: string, _encoding, written) {
        said[stream] += text
        written()
      },
    })
  const output = new Output({ stdin: process.stdin, stdout: into('stdout'), stderr: into('stderr') })
  const code = await runProgram(args, { output, interrupts: new Interrupts(), env: bareEnv(env), self: join(root, 'dist/main.js') })
  await output.flushed()
  searchSaid(`what ${args.slice(0, 2).join(' ')} says`, said.stdout + said.stderr)
  return { code, ...said }
}
