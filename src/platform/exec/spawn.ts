import { execa, type Options } from 'execa'
import type { Child } from '../scope.js'
import type { Command, ExecOptions } from './command.js'
import { mostOutputBytes, Output } from './output.js'
import { marks } from './processes.js'
import type { Held, Running } from './starter.js'

const common = {
  extendEnv: false,
  // A group of its own: Ctrl-C at our terminal must not reach it, and a signal to it must reach all of it.
  detached: true,
  cleanup: false,
  reject: false,
  stripFinalNewline: false,
} satisfies Options

export function startReader({ file, args, env, input, cwd }: Command, { path }: ExecOptions): Running {
  return execa(file, args, {
    ...common,
    env: { PATH: path, LC_ALL: 'C', ...env },
    ...(cwd === undefined ? {} : { cwd }),
    input: input ?? '',
    maxBuffer: mostOutputBytes,
  })
}

/** Waits for a line and then becomes the command, under the same pid. If we die before that line comes, so does it. */
const gate = 'read -r go && exec "$@"'

/** Starts a command that does nothing until `letGo`. Its output goes to files: a pipe without a reader would kill it. */
export async function startHeld(command: Command, survivor: Child['survivor'], options: ExecOptions): Promise<Held> {
  const output = await Output.open(options.secrets)
  try {
    return { ...heldProcess(command, survivor, options, output), output }
  } catch (error) {
    await output.remove()
    throw error
  }
}

function heldProcess(
  { file, args, env, input, cwd }: Command,
  survivor: Child['survivor'],
  { path, site }: ExecOptions,
  output: Output,
): Pick<Held, 'child' | 'letGo'> {
  // The types know descriptors by their number only.
  const [stdout, stderr] = output.descriptors as readonly [3, 4]
  const child = execa('/bin/sh', ['-c', gate, 'lifeboat', file, ...args], {
    ...common,
    env: { PATH: path, LC_ALL: 'C', ...env, [marks.site]: site, [marks.survivor]: survivor },
    ...(cwd === undefined ? {} : { cwd }),
    stdin: 'pipe',
    stdout,
    stderr,
    buffer: false,
  })
  // A command that does not read what it is given is no failure.
  child.stdin.on('error', () => undefined)
  return { child, letGo: () => void child.stdin.end(`\n${input ?? ''}`) }
}
