import { describe, expect, it } from 'vitest'
import type { ImportablePool } from '../../src/platform/host/pools.js'
import { mountpointFindings, poolWarnings, wholePool } from '../../src/steps/parts/pool.js'

const none: ReadonlySet<string> = new Set()

describe('a dataset that would be mounted', () => {
  const found = (mountpoint: string, wantsMount = true): number =>
    mountpointFindings([{ name: 'pool0/homes', mounted: false, wantsMount, mountpoint, usedBytes: 0 }]).length

  it.each(['/', '/etc', '/etc/ssh', '/usr/lib/', '/var/lib/nfs', '/srv/../etc', '/pool0/homes/..'])('at %s stops: the system lies there', (mountpoint) => {
    expect(found(mountpoint)).toBe(1)
    expect(found(mountpoint, false)).toBe(0)
  })

  it.each(['/pool0', '/pool0/homes', '/etcetera', '/srv/homes', '/var/library', '/export/..homes'])('at %s does not', (mountpoint) => {
    expect(found(mountpoint)).toBe(0)
  })
})

describe('a pool before it changes hands', () => {
  const levels = (health: string): readonly string[] => poolWarnings({ name: 'pool0', guid: '11' }, [{ name: 'pool0', guid: '11', health }], []).map(({ level }) => level)

  it('is warned of if it has lost redundancy, and stopped at if its disks were taken from it', () => {
    expect([levels('ONLINE'), levels('DEGRADED'), levels('SUSPENDED')]).toEqual([[], ['warn'], ['stop']])
  })
})

describe('the pool on the devices', () => {
  const pool = (guid: string, facts: Partial<ImportablePool> = {}): ImportablePool => ({
    name: 'pool0',
    guid,
    state: 'ONLINE',
    exported: true,
    devices: [{ name: 'lun0', state: 'ONLINE' }, { name: 'lun1', state: 'ONLINE' }],
    unknownFeatures: [],
    ...facts,
  })
  const wanted = { pool: { name: 'pool0', guid: '11', devices: 2 } }

  it('is the one of that guid, whichever others have its name', () => {
    expect(wholePool([pool('12'), pool('11'), pool('13')], wanted, none).guid).toBe('11')
    expect(() => wholePool([pool('12')], wanted, none)).toThrow(/no pool 11 .*found: pool0 \(guid 12\)/)
  })

  it('is whole: a device that is not seen, or one too many, is not got over by choice', () => {
    const without = pool('11', { state: 'UNAVAIL', devices: [{ name: 'lun0', state: 'ONLINE' }, { name: '123', state: 'UNAVAIL' }] })
    expect(() => wholePool([without], wanted, new Set(['degraded']))).toThrow(/123 is UNAVAIL/)
    const more = { pool: { ...wanted.pool, devices: 3 } }
    expect(() => wholePool([pool('11')], more, new Set(['degraded']))).toThrow(/has 3 devices; 2 of the 2/)
  })
})
