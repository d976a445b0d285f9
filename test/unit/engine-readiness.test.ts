import { describe, expect, it } from 'vitest'
import type { Demand, Finding } from '../../src/contract/index.js'
import { collate } from '../../src/engine/readiness.js'

const stop = (what: string): Finding => ({ level: 'stop', what, mend: 'mend it' })
const warn = (what: string): Finding => ({ level: 'warn', what, mend: 'mend it' })
const cores = (wanted: number, left: number, mend = 'ask for more'): Demand => ({ resource: 'vCPUs in westus2', wanted, left, mend })
const hear = (step: string, ...said: readonly (Finding | Demand)[]) => ({ steps: [step], said })

describe('collated findings', () => {
  it('make one of what several steps found', () => {
    const found = collate([hear('network', stop('locked')), hear('cluster', stop('locked')), hear('network', stop('locked'))])
    expect(found).toEqual([{ ...stop('locked'), steps: ['network', 'cluster'] }])
  })

  it('stay apart where level or mend differ', () => {
    expect(collate([hear('a', stop('x')), hear('b', warn('x')), hear('c', { ...stop('x'), mend: 'otherwise' })])).toHaveLength(3)
  })

  it('name no step where the site as a whole is meant, and keep the step where both say it', () => {
    const site = { steps: [], said: [stop('disk full')] }
    expect(collate([site])).toEqual([{ ...stop('disk full'), steps: [] }])
    expect(collate([site, hear('a', stop('disk full'))])).toEqual([{ ...stop('disk full'), steps: ['a'] }])
  })

  it('put stops before warnings, and otherwise keep the order in which they were heard', () => {
    const found = collate([hear('a', warn('1'), stop('2')), hear('b', cores(2, 1), stop('3')), hear('c', warn('4'))])
    expect(found.map(({ what }) => what)).toEqual(['2', '3', 'vCPUs in westus2: 2 wanted by b, 1 left', '1', '4'])
  })
})

describe('demands on one stock', () => {
  it('are fine up to the last unit', () => {
    expect(collate([hear('cluster', cores(32, 40)), hear('nfs', cores(8, 40))])).toEqual([])
  })

  it('are one stop where the sum is more than is left, though each would fit', () => {
    expect(collate([hear('cluster', cores(36, 40)), hear('nfs', cores(8, 40))])).toEqual([
      { level: 'stop', steps: ['cluster', 'nfs'], what: 'vCPUs in westus2: 36 wanted by cluster and 8 by nfs, 40 left', mend: 'ask for more' },
    ])
  })

  it('of one step are added up as its share', () => {
    expect(collate([hear('cluster', cores(16, 20), cores(8, 20))]).map(({ what }) => what)).toEqual(['vCPUs in westus2: 24 wanted by cluster, 20 left'])
  })

  it('are held against the least that was told to be left', () => {
    const found = collate([hear('a', cores(4, 40)), hear('b', cores(4, 6, 'by the late reader')), hear('c', cores(1, 30))])
    expect(found).toMatchObject([{ what: 'vCPUs in westus2: 4 wanted by a, 4 by b, and 1 by c, 6 left', mend: 'by the late reader' }])
  })

  it('on other stocks do not count, and who wants nothing has no part in it', () => {
    const other = { ...cores(100, 100), resource: 'vCPUs in eastus' }
    expect(collate([hear('a', cores(30, 40)), hear('b', other), hear('c', cores(0, 0))])).toEqual([])
  })
})
