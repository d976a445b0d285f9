import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { root } from '../../helpers/cli.js'
import type { Span } from './account.js'

const names = ['ssh', 'helm', 'kubectl'] as const
export type Program = (typeof names)[number]

/** One run of a program, in real milliseconds. */
export interface ProgramRun extends Span {
  readonly program: Program
}

/**
 * A folder of scripts that run the real ssh, helm and kubectl and write down when each began and ended. First on PATH, they
 * tell from outside what programs cost, reading ones too, without a word in the code that is measured. One costs its shell.
 */
export function watchedPrograms(folder: string): { readonly env: Readonly<Record<string, string>>; runs(): readonly ProgramRun[] } {
  const bin = join(folder, 'bin')
  const log = join(folder, 'programs.log')
  mkdirSync(bin)
  for (const name of names) {
    const path = join(bin, name)
    writeFileSync(path, script(name, realPath(name), log))
    chmodSync(path, 0o755)
  }
  return {
    env: {
      PATH: [bin, process.env['PATH'] ?? ''].join(delimiter),
      LIFEBOAT_HELM: join(bin, 'helm'),
      LIFEBOAT_KUBECTL: join(bin, 'kubectl'),
    },
    runs: () => (existsSync(log) ? readFileSync(log, 'utf8').split('\n').filter((line) => line !== '').map(runOf) : []),
  }
}

function script(name: Program, real: string, log: string): string {
  const wrap = `begun=$EPOCHREALTIME\n"${real}" "$@"\ncode=$?\necho "$begun $EPOCHREALTIME ${name}" >> "${log}"\nexit $code\n`
  return `#!/usr/bin/env bash\n${wrap}`
}

function realPath(name: Program): string {
  const places = [join(root, 'node_modules/.bin'), ...(process.env['PATH'] ?? '').split(delimiter)]
  const found = places.map((place) => join(place, name)).find((path) => existsSync(path))
  if (found === undefined) throw new Error(`there is no ${name}`)
  return found
}

function runOf(line: string): ProgramRun {
  const [begun = '', ended = '', program = ''] = line.split(' ')
  // A locale may write the point as a comma.
  const ms = (text: string): number => Number(text.replace(',', '.')) * 1000
  return { from: ms(begun), until: ms(ended), program: program as Program }
}
