import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isIrreversible, type Change, type JsonObject } from '../../src/contract/index.js'
import { backwards } from '../../src/engine/undo.js'
import { releaseAddress } from '../../src/steps/azure-release-address.js'
import { azureWorld, type AzureWorld } from '../helpers/azure.js'
import { Driven } from '../helpers/steps.js'
import { oldGroup, properties } from '../helpers/world.js'

let world: AzureWorld
beforeEach(async () => {
  world = await azureWorld()
  const { test } = world
  test.addGroup('addresses')
  for (const name of ['a', 'b']) await test.send('PUT', address(name), { location: 'westus2', sku: { name: 'Standard' }, properties: { publicIPAllocationMethod: 'Static' } })
  await test.send('PUT', balancer(), { location: 'westus2', sku: { name: 'Standard' }, properties: held(['a', 'b', 'out']) })
  test.clock.advance(60_000)
})
afterEach(() => world[Symbol.asyncDispose]())

const address = (name: string): string => world.test.id('addresses', 'Microsoft.Network/publicIPAddresses', name)
const balancer = (): string => world.test.id(oldGroup, 'Microsoft.Network/loadBalancers', 'kubernetes')
const frontend = (name: string): JsonObject => ({ id: `${balancer()}/frontendIPConfigurations/${name}` })

function held(names: readonly string[]): JsonObject {
  const given = names.filter((name) => name !== 'out')
  return {
    frontendIPConfigurations: names.map((name) => ({ name, properties: name === 'out' ? {} : { publicIPAddress: { id: address(name) } } })),
    loadBalancingRules: given.map((name) => {
      return { name: `${name}-443`, properties: { frontendIPConfiguration: frontend(name), frontendPort: 443 } }
    }),
    probes: [{ name: 'p', properties: { port: 443 } }],
    outboundRules: [{ name: 'out', properties: { frontendIPConfigurations: [frontend('out')] } }],
  }
}

const step = (names: readonly string[] = ['a']) => world.driven(releaseAddress, { loadBalancer: balancer(), addresses: names.map(address) })
const parts = async (part: string): Promise<string[]> => {
  const found = properties(await world.test.send('GET', balancer()))[part] as { name: string }[]
  return found.map(({ name }) => name).sort()
}
const settled = async (driven: ReturnType<typeof step>): Promise<unknown> => {
  world.test.clock.advance(60_000)
  return (await driven.see()).state
}

describe('azure/release-address', () => {
  it('takes the frontend and its rules away and leaves all else, says who loses what, and that no DNS record changes', async () => {
    const driven = step()
    const changes = await driven.plan()
    expect(changes).toMatchObject([
      {
        resource: 'public address a',
        action: 'update',
        before: { heldBy: `${oldGroup}/kubernetes` },
        after: { heldBy: null, dns: expect.stringMatching(/^203\.0\.113\.\d+ stays what it is: no DNS record has to change$/) as string },
        harm: expect.stringContaining('the old proxy') as string,
      },
    ])
    await driven.apply(changes)
    expect(await settled(driven)).toBe('converged')
    expect([await parts('frontendIPConfigurations'), await parts('loadBalancingRules')]).toEqual([['b', 'out'], ['b-443']])
    expect([await parts('probes'), await parts('outboundRules')]).toEqual([['p'], ['out']])
    expect((await world.test.send('GET', balancer())).body['sku']).toEqual({ name: 'Standard' })
    expect(await driven.plan()).toEqual([])
  })

  it('gives them back as they were', async () => {
    const before = await world.test.send('GET', balancer())
    const driven = step(['a', 'b'])
    const changes = await driven.make()
    expect(await settled(driven)).toBe('converged')
    const back = driven.module.invert(changes)
    expect(back.some(isIrreversible)).toBe(false)
    await driven.apply(back as Change[])
    expect(await settled(driven)).toBe('drifted')
    const now = await world.test.send('GET', balancer())
    for (const part of ['frontendIPConfigurations', 'loadBalancingRules']) {
      const known = (body: typeof now): unknown => new Set((properties(body)[part] as JsonObject[]).map(({ etag: _etag, ...one }) => one))
      expect(known(now)).toEqual(known(before))
    }
  })

  it('knows them again once they are back, though Azure has given each part another etag since', async () => {
    const driven = step(['a', 'b'])
    const changes = await driven.make()
    expect(await settled(driven)).toBe('converged')
    const back = new Driven(backwards(driven.module, changes), world.doors, world.clock, driven.given)
    await back.make()
    expect(await settled(back)).toBe('converged')
  })

  it('waits for the end of what is at work on the load balancer, though it holds the address no more', async () => {
    const driven = step()
    const changes = await driven.plan()
    const back = new Driven(backwards(driven.module, changes), world.doors, world.clock, driven.given)
    await world.test.send('PUT', balancer(), { location: 'westus2', sku: { name: 'Standard' }, properties: held(['b', 'out']) })
    expect(await driven.see()).toMatchObject({ state: 'in-flight', what: `${oldGroup}/kubernetes is being changed` })
    expect(await back.see()).toMatchObject({ state: 'in-flight' })
    expect(await settled(driven)).toBe('converged')
    expect(await settled(back)).toBe('drifted')
  })

  it('does not put a load balancer back as it was read where somebody has changed it since', async () => {
    const driven = step()
    const changes = await driven.plan()
    const theirs = { location: 'westus2', sku: { name: 'Standard' }, properties: { ...held(['a', 'b', 'out']), probes: [{ name: 'theirs', properties: { port: 80 } }] } }
    world.test.faults.plantOnWire({ match: { method: 'PUT', path: 'loadBalancers' }, times: 1, meanwhile: { method: 'PUT', path: balancer(), body: theirs } })
    await expect(driven.apply(changes)).rejects.toMatchObject({ code: 'azure.etag', retry: {} })
    expect(await settled(driven)).toBe('drifted')
    await driven.apply(changes)
    expect(await settled(driven)).toBe('converged')
    expect(await parts('probes')).toEqual(['theirs'])
  })

  it('makes only the changes that it is given', async () => {
    const driven = step(['a', 'b'])
    const [first] = await driven.plan()
    await driven.apply([first!])
    expect(await parts('frontendIPConfigurations')).toEqual(['b', 'out'])
  })

  it('has nothing to do where nobody holds the address, or the load balancer is gone', async () => {
    await world.test.send('PUT', balancer(), { location: 'westus2', properties: {} })
    expect(await settled(step())).toBe('converged')
    await world.test.send('DELETE', balancer())
    expect(await settled(step())).toBe('converged')
  })

  it('does not take the way out of nodes', async () => {
    const { frontendIPConfigurations, ...rest } = held(['a', 'b', 'out'])
    await world.test.send('PUT', balancer(), {
      location: 'westus2',
      properties: { frontendIPConfigurations: frontendIPConfigurations!, ...rest, outboundRules: [{ name: 'out', properties: { frontendIPConfigurations: [frontend('a')] } }] },
    })
    world.test.clock.advance(60_000)
    expect(await step().see()).toMatchObject({ state: 'conflict', why: expect.stringContaining('way out') as string })
  })

  it.each([
    ['is dynamic', async (test: AzureWorld['test']) => void (test.world.resource(address('a'))!.properties['publicIPAllocationMethod'] = 'Dynamic'), 'stop'],
    ['is not there', (test: AzureWorld['test']) => Promise.resolve(test.world.remove(address('a'))), 'stop'],
  ])('is told before the first change that an address %s', async (_, edit, level) => {
    const driven = step()
    const changes = await driven.plan()
    await edit(world.test)
    const found = await driven.module.preflight(changes, driven.inputs, driven.ctx)
    expect(found).toMatchObject([{ level, what: expect.stringContaining('public address a') as string }])
  })
})
