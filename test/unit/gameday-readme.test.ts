import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { root } from '../helpers/cli.js'
import { tables } from '../helpers/gameday-tables.js'

const readme = readFileSync(join(root, 'src/gameday/README.md'), 'utf8')

/** The rows of the table behind `<!-- NAME -->`, without its head. */
function shown(name: string): readonly string[] {
  const [, behind = ''] = readme.split(`<!-- ${name} -->\n`)
  return (behind.split('\n\n')[0] ?? '').split('\n').filter((line) => line.startsWith('|')).slice(2)
}

it.each(Object.keys(tables))('the README of game days tells all that a scenario can say, and nothing else: %s', (name) => {
  expect(shown(name)).toEqual(tables[name])
})
