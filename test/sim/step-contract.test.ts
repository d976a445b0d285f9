import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { registry } from '../../src/steps/registry.js'
import { root } from '../helpers/cli.js'
import { contractCases, siteCases } from '../helpers/contract-cases.js'
import { breachesOf } from '../helpers/step-contract.js'

const ofSites = readdirSync(join(root, 'runbooks'), { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.mjs'))

describe('the contract of steps', () => {
  it('is something that every registered module is put through, and every one that a runbook here brings along', () => {
    expect([...registry.keys()].filter((uses) => Object.keys(contractCases[uses] ?? {}).length === 0)).toEqual([])
    expect(ofSites.filter((path) => siteCases[path] === undefined)).toEqual([])
  })

  it('has each of them foretell what it writes', () => {
    const silent = [...registry.values()].filter((module) => module.check !== true && !('writes' in module))
    expect(silent.map(({ uses }) => uses)).toEqual([])
  })

  const all = [...registry.keys()].flatMap((uses) =>
    Object.entries(contractCases[uses] ?? {}).map(([what, one]) => [uses, what, one] as const),
  )
  it.each(all)('is kept by %s (%s)', async (_uses, _what, one) => {
    expect(await breachesOf(one)).toEqual([])
  })

  it.each(ofSites)('is kept by runbooks/%s', async (path) => {
    expect(await breachesOf(siteCases[path]!)).toEqual([])
  })
})
