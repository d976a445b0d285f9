import { execa, type Options } from 'execa'
import type { Child } from '../scope.js'
import type { Command, ExecOptions } from './command.js'
import { mostOutputBytes, type Output } from './output.js'
import { marks } from './processes.js'

/** A child under way: resolves when it has ended, however it ended. */
export type Running = Promise<Ending> & { readonly pid?: number | undefined }

export interface Ending {
  readonly exitCode?: number | undefined
  readonly signal?: string | undefined
  readonly isMaxBuffer: boolean
  readonly stdout?: string | undefined
  readonly stderr?: string | undefined
}

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

/** Starts a command that does nothing until `letGo`. */
export function startHeld(
  { file, args, env, input, cwd }: Command,
  survivor: Child['survivor'],
  { path, site }: ExecOptions,
  output: Output,
): { readonly child: Running; letGo(): void } {
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
