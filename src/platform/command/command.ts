import { resolve } from 'node:path'
import { LifeboatError } from '../../contract/index.js'
import { readSecret } from '../cloud/load.js'
import type { Cloud } from '../cloud/schema.js'
import type { Command, Exec, Finished } from '../exec/exec.js'
import { findOnPath, isExecutable } from '../exec/find.js'
import { keptBytes, type CommandDoor, type SiteAnswer, type SiteCommand } from './door.js'
import { strikeOut } from './strike.js'

export interface OpenCommandsOptions {
  readonly exec: Exec
  readonly cloud: Pick<Cloud, 'env'>
  /** The runbook's: commands run there, and relative paths begin there. */
  readonly folder: string
  readonly path: string
  /** Of this process: for secrets by `{ env }` where the cloud file has no section of its own. */
  readonly env: Readonly<Record<string, string | undefined>>
}

const mostLines = 5
const mostColumns = 300

export function openCommands(options: OpenCommandsOptions): CommandDoor {
  const { exec, folder, path } = options

  async function prepared({ argv, env }: Pick<SiteCommand, 'argv' | 'env'>): Promise<Prepared> {
    const [program = '', ...args] = argv
    const file = program.includes('/') ? resolve(folder, program) : await findOnPath(program, path)
    if (file === undefined || !(await isExecutable(file))) throw missing(program, folder)
    const secrets: string[] = []
    const values: Record<string, string> = {}
    for (const [name, value] of Object.entries(env)) {
      if (typeof value === 'string') {
        values[name] = value
      } else {
        const secret = readSecret(value.secret, options).reveal()
        secrets.push(secret)
        values[name] = secret
      }
    }
    const struck = (text: string): string => strikeOut(text, secrets)
    return { file, args, env: values, struck, say: struck(printable(argv.join(' '))) }
  }

  const commandOf = ({ file, args, env, say }: Prepared, { timeoutMs, signal }: SiteCommand): Command => ({
    ...{ file, args, env, say, timeoutMs, signal },
    cwd: folder,
  })

  return {
    async look(command) {
      const ready = await prepared(command)
      return answerOf(await exec.run(commandOf(ready, command)), ready)
    },
    async run(command, onLine) {
      const ready = await prepared(command)
      const finished = await exec.run({
        ...commandOf(ready, command),
        // What it does in the middle is not ours to know, so it is never broken off; its time limit alone ends it.
        survivor: 'await',
        writes: [{ command: ready.struck(printable(command.argv[0] ?? '')) }],
        keepEndBytes: keptBytes,
        onLine: (line) => onLine(printable(ready.struck(line))),
      })
      return answerOf(finished, ready)
    },
    async check(command) {
      await prepared(command)
    },
  }
}

interface Prepared {
  readonly file: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly say: string
  readonly struck: (text: string) => string
}

function answerOf({ exitCode, stdout, stderr }: Finished, { struck }: Prepared): SiteAnswer {
  const [said, told] = [stdout, stderr].map((text) => struck(endOf(text)))
  const lines = ((told ?? '').trim() === '' ? said : told) ?? ''
  const lastLines = lines.split('\n').map(printable).filter((line) => line !== '').slice(-mostLines)
  return { exitCode, stdout: said ?? '', lastLines }
}

/** The last `keptBytes`, from the beginning of a line: half a secret would not be known for one. */
function endOf(text: string): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= keptBytes) return text
  return bytes.subarray(-keptBytes).toString('utf8').split('\n').slice(1).join('\n')
}

/** What a program says, fit for a terminal and a journal. */
function printable(text: string): string {
  const plain = text.replace(/[\s\p{Cc}\p{Cf}]+/gu, ' ').trim()
  return plain.length <= mostColumns ? plain : `${plain.slice(0, mostColumns - 1)}…`
}

function missing(program: string, folder: string): LifeboatError {
  const where = program.includes('/') ? `relative to ${folder}` : 'on PATH'
  return new LifeboatError('exec.missing', `there is no program ${printable(program)} ${where} that may be run`, {
    blame: 'user',
    hint: program.includes('/') ? 'Check the path, and that the file is executable.' : 'Install it, or give its path relative to the runbook.',
  })
}
