import { describe, expect, it } from 'vitest'
import type { Finding, PlannedStep } from '../../src/contract/index.js'
import { unsettled } from '../../src/engine/settled.js'

const minute = 60_000
const planned = (id: string, startMs: number, changes: PlannedStep['changes'] = []): PlannedStep => {
  return { id, uses: 'x', needs: [], state: 'absent', changes, irreversible: {}, estimateMs: minute, startMs }
}
const lowered = { resource: 'record A hub', action: 'update', after: { ttlSeconds: 60 } } as const
const told: Finding = { level: 'warn', what: 'long TTL', mend: 'lower it' }
const warning: Finding = { ...told, settledBy: { resource: 'record A hub', sets: 'ttlSeconds', aheadMs: 5 * minute } }
const left = (steps: readonly PlannedStep[], finding = warning) => unsettled([{ steps: ['dns'], said: [finding] }], steps)[0]?.said

describe('a warning that another step does away with', () => {
  it('falls away where that step is done early enough', () => {
    expect(left([planned('ttl', 0, [lowered]), planned('dns', 6 * minute)])).toEqual([])
  })

  it('stays where it comes too late, changes something else, sets something else, or is the step itself', () => {
    expect(left([planned('ttl', 0, [lowered]), planned('dns', 5 * minute)])).toEqual([told])
    expect(left([planned('ttl', 0, [{ ...lowered, resource: 'record A other' }]), planned('dns', 9 * minute)])).toEqual([told])
    expect(left([planned('ttl', 0, [{ ...lowered, after: { values: [] } }]), planned('dns', 9 * minute)])).toEqual([told])
    expect(left([planned('dns', 9 * minute, [lowered])])).toEqual([told])
  })

  it('is never one that stops', () => {
    const stop = { ...warning, level: 'stop' } as const
    expect(left([planned('ttl', 0, [lowered]), planned('dns', 9 * minute)], stop)).toEqual([{ ...told, level: 'stop' }])
  })
})
