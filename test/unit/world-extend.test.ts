import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { extended } from '../../src/sim/world/extend.js'
import { readWorldSpec } from '../../src/sim/world/load.js'
import { data100World } from '../helpers/world.js'

function file(name: string, text: string, folder = mkdtempSync(join(tmpdir(), 'lifeboat-world-'))): string {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

describe('a world file that extends another', () => {
  it('merges maps, changes the entry of the same identity, adds the others, and replaces what has none', () => {
    const base = { a: { x: 1, y: [1, 2] }, list: [{ id: '/A', n: { p: 1, q: 2 } }, { id: '/b' }] }
    expect(extended(base, { a: { y: [3] }, list: [{ id: '/a', n: { p: 9 } }, { id: '/c' }], z: 0 })).toEqual({
      a: { x: 1, y: [3] },
      list: [{ id: '/a', n: { p: 9, q: 2 } }, { id: '/b' }, { id: '/c' }],
      z: 0,
    })
  })

  it('is the other world with its own changes', async () => {
    const base = await readWorldSpec(data100World)
    const other = await readWorldSpec(file('w.yaml', `extends: ${data100World}\nname: other\ndurations: { move: 3h }\n`))
    expect(other).toEqual({ ...base, name: 'other', durations: { ...base.durations, move: 3 * 3_600_000 } })
  })

  it('says so when it extends itself, or what is not there', async () => {
    await expect(readWorldSpec(file('w.yaml', 'extends: ./w.yaml\n'))).rejects.toThrow(/extends itself/)
    await expect(readWorldSpec(file('w.yaml', 'extends: ./none.yaml\n'))).rejects.toThrow(/none\.yaml.*\n.*cannot be read: ENOENT/)
  })
})
