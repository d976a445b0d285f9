import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { network } from '../../src/steps/azure-network.js'
import { azureWorld, networkInputs, type AzureWorld } from '../helpers/azure.js'
import { names, type Driven } from '../helpers/steps.js'
import { networkType, properties } from '../helpers/world.js'

interface Subnet {
  readonly name: string
  readonly properties: Record<string, unknown>
}

/** Somebody has made the network with names in capitals: in Azure they are the runbook's. */
describe('subnets whose names differ in case', () => {
  let world: AzureWorld
  beforeEach(async () => {
    world = await azureWorld()
    world.test.addGroup('data100-network')
  })
  afterEach(() => world[Symbol.asyncDispose]())

  const id = (): string => world.test.id('data100-network', networkType, 'data100')
  const step = (changes: Record<string, unknown> = {}): Driven =>
    world.driven(network, { ...networkInputs, ...changes })
  const put = async (subnets: Record<string, object>): Promise<void> => {
    const parts = Object.entries(subnets).map(([name, one]) => ({ name, properties: one }))
    await world.test.send('PUT', id(), { location: 'westus2', properties: { addressSpace: { addressPrefixes: ['10.240.0.0/16'] }, subnets: parts } })
    world.test.clock.advance(60_000)
  }
  const there = async (): Promise<readonly Subnet[]> => properties(await world.test.send('GET', id()))['subnets'] as Subnet[]

  it('are one to the world, which keeps the first spelling (A19)', async () => {
    await put({ NFS: { addressPrefix: '10.240.0.0/28' } })
    expect((await world.test.send('PUT', `${id()}/subnets/nfs`, { properties: { addressPrefix: '10.240.0.0/27' } })).status).toBe(200)
    expect(await there()).toMatchObject([{ name: 'NFS', properties: { addressPrefix: '10.240.0.0/27' } }])
  })

  it('are those of the runbook, under its own spelling, and are given what they lack', async () => {
    await put({ Nodes: { addressPrefix: '10.240.16.0/20' }, NFS: { addressPrefix: '10.240.0.0/28', serviceEndpoints: [{ service: 'Microsoft.Storage' }] } })
    const changes = await step().make()
    expect(names(changes)).toEqual(['update subnet data100/nfs', 'create networkSecurityGroup data100-nfs'])
    expect(await step().see()).toEqual({
      state: 'converged',
      outputs: { id: id(), subnets: { nodes: `${id()}/subnets/Nodes`, nfs: `${id()}/subnets/NFS` } },
    })
    expect(await there()).toMatchObject([{ name: 'Nodes' }, { name: 'NFS', properties: { serviceEndpoints: [{ service: 'Microsoft.Storage' }], networkSecurityGroup: {} } }])
  })

  it('are in the way where they are other ones', async () => {
    await put({ NFS: { addressPrefix: '10.240.0.0/27' } })
    expect(await step().see()).toMatchObject({ state: 'conflict', why: 'subnet NFS exists as 10.240.0.0/27, not 10.240.0.0/28' })
  })

  it.each(['nfs', 'NFS'])('are not put over where somebody has made one since, as %s', async (name) => {
    await put({ nodes: { addressPrefix: '10.240.16.0/20' } })
    const changes = await step().plan()
    expect(names(changes)).toEqual(['create subnet data100/nfs', 'create networkSecurityGroup data100-nfs'])
    const theirs = { addressPrefix: '10.240.0.0/28', serviceEndpoints: [{ service: 'Microsoft.Storage' }] }
    await put({ nodes: { addressPrefix: '10.240.16.0/20' }, [name]: theirs })
    await expect(step().apply(changes)).rejects.toMatchObject({ code: 'network.subnet-there', retry: {} })
    expect((await there())[1]).toMatchObject({ name, properties: theirs })
    await step().make()
    expect((await step().see()).state).toBe('converged')
  })

  it('are not made anew, without their guards, where an update finds that one has gone since', async () => {
    const nodes = { addressPrefix: '10.240.16.0/20' }
    await put({ nodes, nfs: { addressPrefix: '10.240.0.0/28' } })
    const changes = await step().plan()
    expect(names(changes)).toEqual(['update subnet data100/nfs', 'create networkSecurityGroup data100-nfs'])
    await put({ nodes })
    await expect(step().apply(changes)).rejects.toMatchObject({ code: 'network.subnet-gone', retry: {} })
    expect(await there()).toMatchObject([{ name: 'nodes' }])
    await step().make()
    expect((await step().see()).state).toBe('converged')
  })

  it('are a mistake of a runbook that names two', () => {
    expect(() => step({ subnets: { nfs: '10.240.0.0/28', NFS: '10.240.1.0/28' } })).toThrow('a subnet is named twice')
  })
})
