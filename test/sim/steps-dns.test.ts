import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Change } from '../../src/contract/index.js'
import { backwards } from '../../src/engine/undo.js'
import { setNameServer } from '../../src/sim/dns/lost.js'
import { dnsRecord } from '../../src/steps/azure-dns-record.js'
import { dnsTtl } from '../../src/steps/dns-ttl.js'
import { azureWorld, type AzureWorld } from '../helpers/azure.js'
import type { Driven } from '../helpers/steps.js'

let world: AzureWorld
beforeEach(async () => {
  world = await azureWorld()
})
afterEach(() => world[Symbol.asyncDispose]())

const zone = (): string => world.test.world.spec.zones[0]!.id
const records = [{ name: 'data100s' }, { name: 'data100' }]
const ttl = (changes: Record<string, unknown> = {}): Driven => world.driven(dnsTtl, { zone: zone(), records, ttl: '60s', ...changes })
const swap = (): Driven => world.driven(dnsRecord, { zone: zone(), name: 'data100', type: 'A', ttl: '60s', values: ['203.0.113.7'] })
const current = (name = 'data100') => world.test.world.recordSets.find((one) => one.name === name && one.type === 'A')
const remove = (name: string): void => void world.test.world.recordSets.splice(world.test.world.recordSets.indexOf(current(name)!), 1)
const published = (): Promise<void> => world.clock.sleep(world.test.world.durationOf('dns'))
const undo = (step: Driven, changes: readonly Change[]): Promise<void> => step.apply(step.module.invert(changes) as Change[])

describe('A80: a PATCH of a record set', () => {
  it('keeps the values and the metadata that it does not name, and needs the etag that it names', async () => {
    const { etag, values, metadata } = { ...current()! }
    await world.azure.zones.setTtl(zone(), 'data100', 'A', 60, etag)
    expect(current()).toMatchObject({ ttl: 60, values, metadata })
    await expect(world.azure.zones.setTtl(zone(), 'data100', 'A', 30, etag)).rejects.toMatchObject({ code: 'azure.etag' })
  })
})

describe('dns/ttl', () => {
  it('lowers the TTL and touches nothing else, is done when the name servers say so, and puts the old one back', async () => {
    const before = { ...current()! }
    const step = ttl()
    const changes = await step.plan()
    expect(changes).toEqual(
      ['data100s', 'data100'].map((name) => ({
        resource: `record A ${name}.datahub.berkeley.edu`,
        action: 'update',
        before: { ttlSeconds: 300 },
        after: { ttlSeconds: 60 },
      })),
    )
    await step.apply(changes)
    expect(current()).toMatchObject({ ttl: 60, values: before.values, metadata: before.metadata })
    expect(await step.see()).toMatchObject({ state: 'in-flight' })
    await published()
    expect(await step.see()).toMatchObject({ state: 'converged', outputs: { records: [{ ttlSeconds: 60 }, { fqdn: 'data100.datahub.berkeley.edu', ttlSeconds: 60 }] } })
    await undo(step, changes)
    expect(current()).toMatchObject({ ttl: 300, values: before.values })
  })

  it('leaves a TTL below its target and a record set that is not there alone', async () => {
    await world.azure.zones.setTtl(zone(), 'data100', 'A', 30, current()!.etag)
    expect((await ttl({ records: [{ name: 'data100' }, { name: 'new' }] }).plan()).map(({ resource }) => resource)).toEqual([])
    expect((await ttl().plan()).map(({ resource }) => resource)).toEqual(['record A data100s.datahub.berkeley.edu'])
  })

  it.each([
    ['it is gone', (): void => remove('data100s'), undefined],
    ['somebody has set a lower one', (): void => void (current('data100s')!.ttl = 30), 300],
  ] as const)('goes back also where %s meanwhile, and is over then', async (_, meanwhile, after) => {
    const step = ttl()
    const made = await step.make()
    await published()
    meanwhile()
    await published()
    const back = backwards(step.module, made)
    const seen = await back.observe(step.inputs, step.ctx)
    if (seen.state !== 'drifted') throw new Error(seen.state)
    await step.apply(back.plan(step.inputs, seen))
    expect([current('data100s')?.ttl, current()?.ttl]).toEqual([after, 300])
    expect(await back.observe(step.inputs, step.ctx)).toEqual({ state: 'converged', outputs: {} })
  })

  it('has nothing to put back where all of it is gone, and what went in between is left', async () => {
    const step = ttl({ records: [{ name: 'data100s' }] })
    const made = await step.make()
    await published()
    remove('data100s')
    await expect(undo(step, made)).resolves.toBeUndefined()
    expect(await backwards(step.module, made).observe(step.inputs, step.ctx)).toEqual({ state: 'converged', outputs: {} })
    expect((await ttl().plan()).map(({ resource }) => resource)).toEqual(['record A data100.datahub.berkeley.edu'])
  })

  it('needs no name server for its way back (D21)', async () => {
    setNameServer(world.test.world, 'ns2-07.azure-dns.net', 'behind')
    const step = ttl()
    const made = await step.make()
    await published()
    expect((await step.see()).state).toBe('in-flight')
    expect(await backwards(step.module, made).observe(step.inputs, step.ctx)).toEqual({ state: 'drifted', seen: made })
  })

  it('does not write over what somebody else has set since it looked', async () => {
    const step = ttl()
    const changes = await step.plan()
    await world.azure.zones.setTtl(zone(), 'data100s', 'A', 120, current('data100s')!.etag)
    await expect(step.apply(changes)).rejects.toMatchObject({ code: 'dns.changed', retry: {} })
    expect(current('data100s')?.ttl).toBe(120)
  })

  it('stands beside azure/dns-record: either may come first, and neither undoes the other', async () => {
    const swapped = await swap().make()
    expect(current()).toMatchObject({ ttl: 300, values: ['203.0.113.7'] })
    await ttl().make()
    await published()
    expect(current()).toMatchObject({ ttl: 60, values: ['203.0.113.7'] })
    expect((await ttl().see()).state).toBe('converged')
    expect((await swap().see()).state).toBe('converged')
    await undo(swap(), swapped)
    expect(current()).toMatchObject({ ttl: 60, values: ['198.51.100.11'] })
  })
})

describe('azure/dns-record', () => {
  const last = 'ns2-07.azure-dns.net'

  it.each([
    ['silent', `the name server ${last} does not answer`],
    ['behind', `${last} still gives 198.51.100.11, which resolvers keep for up to 300 s`],
  ] as const)('is not done while a name server is %s, which it names; the way back needs none of them (D21)', async (how, what) => {
    setNameServer(world.test.world, last, how)
    const step = swap()
    const made = await step.make()
    await published()
    expect(await step.see()).toEqual({ state: 'in-flight', what: `data100.datahub.berkeley.edu: ${what}`, halfMade: 'record A data100.datahub.berkeley.edu' })
    const back = backwards(step.module, made)
    expect(await back.observe(step.inputs, step.ctx)).toEqual({ state: 'drifted', seen: made })
    await undo(step, made)
    expect(await back.observe(step.inputs, step.ctx)).toEqual({ state: 'converged', outputs: {} })
    expect(current()?.values).toEqual(['198.51.100.11'])
  })
})
