import { describe, expect, it } from 'vitest'
import { Pending, type Change } from '../../src/contract/index.js'
import { collate } from '../../src/engine/readiness.js'
import type { Platform } from '../../src/platform/platform.js'
import { addressFindings } from '../../src/steps/parts/address.js'
import { networkChanges } from '../../src/steps/parts/network.js'

const wanted = { location: 'westus2', name: 'data100', addressSpace: ['10.240.0.0/16'], subnets: { nodes: '10.240.16.0/20', nfs: '10.240.0.16/28' } }
const planned = (step: string): readonly Change[] => (step === 'network' ? networkChanges(wanted, undefined) : [])
const unasked = {} as Platform
const subnet = (name: string, step = 'network'): Pending => new Pending([step], { step, path: ['subnets', name] })

async function found(privateIp: string, where = subnet('nfs')): Promise<string[]> {
  const said = await addressFindings({ subnet: where, privateIp }, unasked, planned)
  return said.flatMap((one) => ('level' in one ? [`${one.level}: ${one.what}`] : []))
}

describe('an address in a subnet that the same plan makes', () => {
  it('is fine from the fifth to the last but one', async () => {
    expect([await found('10.240.0.20'), await found('10.240.0.30'), await found('10.240.31.254', subnet('nodes'))]).toEqual([[], [], []])
  })

  it.each(['10.240.0.15', '10.240.0.32', '10.24.0.20', '11.240.0.20'])('stops where it is outside of its prefix: %s', async (address) => {
    expect(await found(address)).toEqual([`stop: the address ${address} is not in the subnet nfs (10.240.0.16/28)`])
  })

  it.each(['10.240.0.16', '10.240.0.19', '10.240.0.31'])('stops where Azure keeps it for itself: %s', async (address) => {
    expect(await found(address)).toEqual([`stop: the address ${address} is one that Azure keeps for itself in the subnet nfs (10.240.0.16/28)`])
  })

  it('is not judged where no prefix is known: by another step, of another subnet, inside of a text', async () => {
    expect([await found('1.1.1.1', subnet('nfs', 'other')), await found('1.1.1.1', subnet('none')), await found('1.1.1.1', new Pending(['network']))]).toEqual([[], [], []])
  })

  it('is for one machine only', async () => {
    const hear = async (step: string, address: string) => ({ steps: [step], said: await addressFindings({ subnet: subnet('nfs'), privateIp: address }, unasked, planned) })
    expect(collate([await hear('nfs', '10.240.0.20'), await hear('nfs-2', '10.240.0.21')])).toEqual([])
    expect(collate([await hear('nfs', '10.240.0.20'), await hear('nfs-2', '10.240.0.20')])).toMatchObject([
      { level: 'stop', steps: ['nfs', 'nfs-2'], what: 'the address 10.240.0.20 in steps.network.outputs.subnets.nfs: 1 wanted by nfs and 1 by nfs-2, 1 left' },
    ])
  })
})
