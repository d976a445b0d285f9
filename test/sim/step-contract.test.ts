import { describe, expect, it } from 'vitest'
import { registry } from '../../src/steps/registry.js'
import { contractCases } from '../helpers/contract-cases.js'
import { breachesOf } from '../helpers/step-contract.js'

describe('the contract of steps', () => {
  it('is something that every registered module is put through', () => {
    expect(Object.keys(contractCases).sort()).toEqual([...registry.keys()].sort())
    expect(Object.values(contractCases).every((cases) => Object.keys(cases).length > 0)).toBe(true)
  })

  const all = Object.entries(contractCases).flatMap(([uses, cases]) =>
    Object.entries(cases).map(([what, one]) => [uses, what, one] as const),
  )
  it.each(all)('is kept by %s (%s)', async (_uses, _what, one) => {
    expect(await breachesOf(one)).toEqual([])
  })
})
