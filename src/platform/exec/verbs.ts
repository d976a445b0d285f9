import type { CommandWrite } from '../../contract/index.js'

/** Programs that can do several things, and are told which by their first word. */
const ofMany = new Set(['zpool', 'zfs', 'systemctl', 'helm', 'kubectl'])

/** What stands in a script for the sake of its answer. */
const reads = new Set(['zpool status', 'zpool list', 'zfs list', 'zfs get', 'systemctl is-active'])

/** `zpool export` of `sudo -n zpool export pool0`: the program, and what it is told to do. */
export function verbOf(words: readonly string[]): string {
  const [program = '', ...rest] = words[0] === 'sudo' ? words.slice(words[1] === '-n' ? 2 : 1) : words
  const name = program.split('/').at(-1) ?? program
  const what = ofMany.has(name) ? rest.find((word) => !word.startsWith('-')) : undefined
  return what === undefined ? name : `${name} ${what}`
}

/** What these commands change, each kind once; what is not known to read changes. */
export function verbsOf(commands: readonly (readonly string[])[], on: string): readonly CommandWrite[] {
  return [...new Set(commands.map(verbOf))].filter((verb) => !reads.has(verb)).map((command) => ({ command, on }))
}
