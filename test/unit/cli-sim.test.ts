import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../helpers/cli.js'
import { lifeboatHere } from '../helpers/cli-here.js'

describe('sim, started wrongly', () => {
  it('says what is wrong with its world file, as wrong usage', async () => {
    const stateDir = temporaryFolder()
    const bad = join(stateDir, 'bad.yaml')
    writeFileSync(bad, 'subscription: [\n')
    for (const [world, said] of [[bad, /bad\.yaml:\d+:\d+: /], [join(stateDir, 'none.yaml'), /none\.yaml cannot be used:[^]*cannot be read: ENOENT/]] as const) {
      const { code, stdout, stderr } = await lifeboatHere(['sim', '--world', world, '--state-dir', stateDir])
      expect([code, stdout, stderr]).toEqual([2, '', expect.stringMatching(said)])
      expect(stderr).toContain('--world')
      expect(stderr).not.toContain('defect')
    }
  })

  it.each([
    ['--speed', '0'],
    ['--speed', 'fast'],
    ['--port', '-1'],
    ['--port', '1.5'],
    ['--port', '70000'],
  ])('refuses %s %s', async (flag, value) => {
    const { code, stderr } = await lifeboatHere(['sim', '--world', 'no-such.yaml', '--state-dir', temporaryFolder(), flag, value])
    expect([code, stderr]).toEqual([2, expect.stringMatching(new RegExp(`${flag}[^]*It must be`))])
  })
})
