import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root, temporaryFolder } from '../helpers/cli.js'
import { lifeboatHere } from '../helpers/cli-here.js'

const minimal = join(root, 'runbooks/minimal.yaml')

function runbook(text: string): string {
  const path = join(temporaryFolder(), 'changed.yaml')
  writeFileSync(path, text)
  return path
}

describe('a point of crash-test', () => {
  it.each([
    [['--point', 'here'], /"here" is no point[^]*812-before/],
    [['--point', '0-before'], /is no point/],
    [['--then', '7-after'], /--then needs a --point/],
    [['--by', 'boredom'], /Allowed choices are kill, sigterm, sigint, full-disk, torn/],
  ])('that is none is refused before anything is tried: %j', async (flags, says) => {
    const { code, stderr } = await lifeboatHere(['crash-test', minimal, ...flags])
    expect([code, stderr]).toEqual([2, expect.stringMatching(says)])
  })
})

describe.each(['crash-test', 'simulate'])('%s', (command) => {
  it('says what is wrong with a runbook, line by line', async () => {
    const { code, stderr } = await lifeboatHere([command, runbook('apiVersion: lifeboat/v1\nname: x\nsteps: 7\n')])
    expect([code, stderr]).toEqual([2, expect.stringMatching(/changed\.yaml:3:\d+: /)])
  })

  it('says so where a runbook names no world to be tried in', async () => {
    const steps = 'steps:\n  - id: group\n    uses: azure/resource-group\n    with: { name: a, location: westeurope }\n'
    const azure = 'azure: { subscription: 0b5e7a11-2026-4f1d-8c3e-0c0ffee00001, location: westeurope }'
    const { code, stderr } = await lifeboatHere([command, runbook(`apiVersion: lifeboat/v1\nname: small\n${azure}\n${steps}`)])
    expect([code, stderr]).toEqual([2, expect.stringMatching(/small names no world to be tried in[^]*rehearsal: \{ world: FILE \}/)])
  })

  it('takes whole numbers only', async () => {
    const flag = command === 'simulate' ? '--seeds' : '--every'
    expect((await lifeboatHere([command, minimal, flag, '0.5'])).code).toBe(2)
  })
})
