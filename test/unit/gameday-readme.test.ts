import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parse } from 'yaml'
import { root } from '../helpers/cli.js'
import { playedForReal, tables } from '../helpers/gameday-tables.js'
import { commands } from '../helpers/readme.js'

const readme = readFileSync(join(root, 'src/gameday/README.md'), 'utf8')

/** The rows of the table behind `<!-- NAME -->`, without its head. */
function shown(name: string): readonly string[] {
  const [, behind = ''] = readme.split(`<!-- ${name} -->\n`)
  return (behind.split('\n\n')[0] ?? '').trim().split('\n').filter((line) => line.startsWith('|')).slice(2)
}

it.each(Object.keys(tables))('the README of game days tells all that a scenario can say, and nothing else: %s', (name) => {
  expect(shown(name)).toEqual(tables[name])
})

it('the README of game days tells of every scenario how it goes for real, at which speed, and whether CI plays it so', () => {
  const folder = join(root, 'fixtures/gamedays')
  const stated = readdirSync(folder).map((file) => {
    const { speed = 30 } = parse(readFileSync(join(folder, file), 'utf8')) as { readonly speed?: number }
    return { name: file.replace(/\.yaml$/, ''), speed }
  })
  const rows = shown('real').map((row) => row.split('|').map((cell) => cell.trim()))
  expect(rows.map(([, name = '', speed]) => ({ name: name.replaceAll('`', ''), speed: Number(speed) }))).toEqual(stated)
  const inReadme = commands.filter((line) => line.includes(' --real')).flatMap((line) => /gamedays\/(\S+)\.yaml/.exec(line)?.[1] ?? [])
  expect(rows.flatMap(([, name = '', , how = '']) => (how.startsWith('In CI') ? [name.replaceAll('`', '')] : []))).toEqual([...playedForReal, ...inReadme].sort())
})
