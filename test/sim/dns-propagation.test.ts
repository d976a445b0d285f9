import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDns } from '../../src/platform/dns/resolver.js'
import { setNameServer } from '../../src/sim/dns/lost.js'
import { startNameServers } from '../../src/sim/dns/server.js'
import { dnsPropagation } from '../../src/steps/dns-propagation.js'
import { azureWorld, type AzureWorld } from '../helpers/azure.js'
import { Driven } from '../helpers/steps.js'

const [first, last] = ['ns1-07.azure-dns.com', 'ns2-07.azure-dns.net']
const newAddress = '203.0.113.1'

let world: AzureWorld
let zone: string
beforeEach(async () => {
  world = await azureWorld()
  zone = world.test.id('datahub-dns', 'Microsoft.Network/dnszones', 'datahub.berkeley.edu')
})
afterEach(() => world[Symbol.asyncDispose]())

const change = (): Promise<unknown> =>
  world.test.send('PUT', `${zone}/A/data100`, { properties: { TTL: 60, ARecords: [{ ipv4Address: newAddress }] } })

const step = (inputs: Record<string, unknown> = {}, doors = world.doors): Driven =>
  new Driven(dnsPropagation, doors, world.clock, { zone, name: 'data100', type: 'A', values: [newAddress], ...inputs })

describe('the world’s name servers', () => {
  it('do not change together: who asks one of them does not know what the other half of the world sees (D20)', async () => {
    const servers = await startNameServers(world.test.world)
    const dns = openDns(servers.nameServers)
    const told = async (server: string) => (await dns.ask(server, 'data100.datahub.berkeley.edu', 'A')).values
    try {
      await change()
      world.test.clock.advance(world.test.world.durationOf('dns') / 2)
      expect([await told(first), await told(last)]).toEqual([[newAddress], ['198.51.100.11']])
      world.test.clock.advance(world.test.world.durationOf('dns') / 2)
      expect([await told(first), await told(last)]).toEqual([[newAddress], [newAddress]])
    } finally {
      await servers.stop()
    }
  })

  it('take one change after the other, also where the second comes before the first is everywhere (D20)', async () => {
    await change()
    world.test.clock.advance(7_000)
    await world.test.send('DELETE', `${zone}/A/data100`)
    world.test.clock.advance(6_000)
    const told = (server: string) => world.doors.dns.ask(server, 'data100.datahub.berkeley.edu', 'A')
    expect([await told(first), await told(last)]).toMatchObject([{ values: [] }, { values: [newAddress] }])
    world.test.clock.advance(10_000)
    expect([await told(first), await told(last)]).toMatchObject([{ values: [] }, { values: [] }])
  })
})

describe('dns/propagation', () => {
  it('waits for every name server, and says which lags and how long resolvers keep what it says', async () => {
    await change()
    world.test.clock.advance(world.test.world.durationOf('dns') / 2)
    expect(await step().see()).toEqual({
      state: 'in-flight',
      what: `data100.datahub.berkeley.edu: ${last} still gives 198.51.100.11, which resolvers keep for up to 300 s`,
    })
    world.test.clock.advance(world.test.world.durationOf('dns') / 2)
    expect(await step().see()).toMatchObject({ state: 'converged', outputs: { nameServers: [first, last] } })
    expect(await step().plan()).toEqual([])
  })

  it.each([
    [{ ttlBefore: '5m' }, 300],
    [{}, 60],
  ])('remarks what the TTL means for resolvers: %j', async (inputs, longest) => {
    await change()
    world.test.clock.advance(world.test.world.durationOf('dns'))
    const seen = await step(inputs).see()
    expect(JSON.stringify(seen)).toContain(`may keep the old answer for up to ${longest} s`)
  })

  it('counts a name server that does not answer among those that lag, beside what the others say', async () => {
    setNameServer(world.test.world, last, 'silent')
    const seen = await step().see()
    expect(seen).toMatchObject({ state: 'in-flight', what: expect.stringContaining(`${first} still gives`) as string })
    expect(JSON.stringify(seen)).toContain(`the name server ${last} does not answer`)
  })

  it('is not done where most of them give the new values and one stays behind (D21)', async () => {
    setNameServer(world.test.world, first, 'behind')
    await change()
    world.test.clock.advance(world.test.world.durationOf('dns'))
    const { dns } = world.doors
    const naive = (await dns.ask(last, 'data100.datahub.berkeley.edu', 'A')).values
    expect([naive, await step().see()]).toMatchObject([[newAddress], { state: 'in-flight', what: expect.stringContaining(`${first} still gives 198.51.100.11`) as string }])
    setNameServer(world.test.world, first, 'back')
    expect(await step().see()).toMatchObject({ state: 'converged' })
  })

  it('does not take a zone that is not there for one without lag', async () => {
    expect(await step({ zone: `${zone}x` }).see()).toMatchObject({ state: 'unknown' })
  })
})
