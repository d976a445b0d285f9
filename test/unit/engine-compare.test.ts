import { describe, expect, it } from 'vitest'
import { Pending, type Change } from '../../src/contract/index.js'
import { notBegun, unshown } from '../../src/engine/compare.js'

const address: Change = {
  resource: 'record A data100',
  action: 'update',
  before: { values: ['52.0.0.1'] },
  after: { values: new Pending(['prod']), ttl: 60 },
}

describe('what was shown is what runs', () => {
  it('accepts a value that was pending when it was shown', () => {
    expect(unshown([address], [{ ...address, after: { values: ['203.0.113.2'], ttl: 60 } }])).toEqual([])
  })

  it('accepts it too when the plan comes back from the journal', () => {
    const journaled = JSON.parse(JSON.stringify(address)) as Change
    expect(unshown([journaled], [{ ...address, after: { values: ['203.0.113.2'], ttl: 60 } }])).toEqual([])
  })

  it('accepts fewer changes, and another state before', () => {
    const now = { ...address, before: { values: ['52.0.0.9'] }, after: { values: ['203.0.113.2'], ttl: 60 } }
    expect(unshown([address, { resource: 'disk a', action: 'update' }], [now])).toEqual([])
    expect(unshown([address], [])).toEqual([])
  })

  it('reports another resource, another action, another value', () => {
    const other = { ...address, resource: 'record A data200' }
    const replaced = { ...address, action: 'delete' as const }
    const slower = { ...address, after: { values: ['203.0.113.2'], ttl: 3600 } }
    expect(unshown([address], [other, replaced, slower])).toEqual([other, replaced, slower])
  })
})

describe('a creation that failed half way', () => {
  const created: Change = { resource: 'natGateway nat', action: 'create', after: { publicAddress: 'nat', idle: 4 } }
  const mended: Change = { resource: 'natGateway nat', action: 'update', before: { state: 'Failed' }, after: { publicAddress: 'nat' } }

  it('may be finished in place: it was shown as a creation', () => {
    expect(unshown([created], [mended])).toEqual([mended])
    expect(notBegun([created], [mended])).toEqual([])
  })

  it('is not finished by what leads elsewhere, by a deletion, or where nothing of it was begun', () => {
    const elsewhere = { ...mended, after: { publicAddress: 'other' } }
    const deleted = { ...mended, action: 'delete' as const }
    expect(notBegun([created], [elsewhere, deleted])).toEqual([elsewhere, deleted])
    expect(notBegun([{ ...created, action: 'update' }], [mended])).toEqual([mended])
  })
})
