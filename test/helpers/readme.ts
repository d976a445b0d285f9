import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { root } from './cli.js'

const shellLines = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) => block.split('\n'))

/** Every command that the README shows, without its comment. */
export const commands = shellLines.map((line) => line.replace(/#.*$/, '').trim()).filter((line) => line !== '')

/** Arguments of the README's command that calls this subcommand; it must be there. */
export function shown(subcommand: string): string[] {
  const command = commands.find((line) => line.startsWith(`node dist/main.js ${subcommand}`))
  expect(command, `the README shows ${subcommand}`).toBeDefined()
  return command!.split(' ').slice(2)
}
