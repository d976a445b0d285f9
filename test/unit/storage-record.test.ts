import { describe, expect, it } from 'vitest'
import { parseLayout } from '../../src/platform/host/inventory.js'
import { differences } from '../../src/steps/parts/storage-record.js'

const mib = 1024 ** 2
const dataset = (name: string, usedBytes: number, properties: Record<string, string> = {}) => ({ name, mountpoint: `/${name}`, usedBytes, properties })
const then = { layout: ['mirror-0 of 2'], datasets: [dataset('p', 900 * mib), dataset('p/homes', 800 * mib, { quota: '1073741824' })] }

describe('a storage record beside what is there now', () => {
  it('finds nothing where everything is there, new datasets and what students wrote or deleted besides', () => {
    expect(differences(then, then)).toEqual([])
    const now = { ...then, datasets: [dataset('p', 1900 * mib), dataset('p/homes', 730 * mib, { quota: '1073741824' }), dataset('p/new', mib)] }
    expect(differences(then, now)).toEqual([])
  })

  it('finds what is missing, what holds far less, what is set otherwise, and another layout', () => {
    const now = { layout: ['stripe of 2'], datasets: [{ ...dataset('p/homes', 10 * mib, { compression: 'lz4' }), mountpoint: '/elsewhere' }] }
    expect(differences(then, now)).toEqual([
      'its devices were mirror-0 of 2 and are stripe of 2',
      'p (900.0 MiB) is not there',
      'p/homes held 800.0 MiB and holds 10.0 MiB',
      'p/homes was mounted at /p/homes and would be at /elsewhere',
      'compression of p/homes was not set and is lz4',
      'quota of p/homes was 1073741824 and is not set',
    ])
  })
})

describe('the layout of a pool', () => {
  const status = (rows: readonly string[]): string =>
    ['  pool: tank', ' state: ONLINE', 'config:', '', '\tNAME        STATE     READ WRITE CKSUM', ...rows.map((row) => `\t${row}`), '', 'errors: No known data errors', ''].join('\n')

  it('is told by its groups, whatever the devices are called on this server', () => {
    expect(parseLayout(status(['tank        ONLINE       0     0     0', '  sda       ONLINE       0     0     0', '  sdb       ONLINE       0     0     0']), 'tank')).toEqual(['stripe of 2'])
    const rows = [
      'tank                    ONLINE       0     0     0',
      '  mirror-0              ONLINE       0     0     0',
      '    lun0                ONLINE       0     0     0',
      '    9464217329          UNAVAIL      0     0     0  was /dev/sdb1',
      '  mirror-1              ONLINE       0     0     0',
      '    lun2                ONLINE       0     0     0',
      '    lun3                ONLINE       0     0     0',
      'logs',
      '  nvme0                 ONLINE       0     0     0',
      'cache',
      '  nvme1                 ONLINE       0     0     0',
    ]
    expect(parseLayout(status(rows), 'tank')).toEqual(['mirror-0 of 2', 'mirror-1 of 2', 'logs of 1', 'cache of 1'])
  })
})
