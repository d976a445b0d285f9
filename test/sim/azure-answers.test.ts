import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LifeboatError } from '../../src/contract/index.js'
import { hostFactsReader, openAzure } from '../../src/platform/azure/open.js'
import type { AzureDoor } from '../../src/platform/azure/door.js'
import { AzureSession } from '../../src/platform/azure/session.js'
import type { WireFault } from '../../src/sim/arm/faults.js'
import { azureWorld, type AzureWorld } from '../helpers/azure.js'
import { clusterType, diskType, machineType, oldGroup } from '../helpers/world.js'

let world: AzureWorld
beforeEach(async () => {
  world = await azureWorld()
})
afterEach(() => world[Symbol.asyncDispose]())

const errorOf = async (work: Promise<unknown>): Promise<LifeboatError> => {
  const error = await work.then((value) => value, (thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(LifeboatError)
  return error as LifeboatError
}

/** A look through each of the SDKs, old and new, and through our own questions. */
const looks: Record<string, (door: AzureDoor) => Promise<unknown>> = {
  group: (door) => door.groups.get('data100-19s'),
  'list of a group': (door) => door.groups.list('data100-19s'),
  cluster: (door) => door.clusters.get(world.test.id('data100-19s', clusterType, 'data100-19s')),
  machine: (door) => door.machines.get(world.test.id(oldGroup, machineType, 'nfsserver')),
  disk: (door) => door.disks.get(world.test.id(oldGroup, diskType, 'nfsserver_DataDisk_0')),
  record: (door) => door.zones.getRecord(world.test.world.spec.zones[0]!.id, 'data100', 'A'),
  'name servers': (door) => door.zones.nameServers(world.test.world.spec.zones[0]!.id),
  locks: (door) => door.groups.locks('data100-19s'),
}

const page = '<html><head><title>Sign in to Campus Wi-Fi</title></head></html>'
const garbage: Record<string, Pick<WireFault, 'answer' | 'drop'>> = {
  'a page of HTML': { answer: { status: 200, text: page, headers: { 'content-type': 'text/html' } } },
  'a page of HTML that calls itself JSON': { answer: { status: 200, text: page } },
  'half of a JSON text': { answer: { status: 200, text: '{"id":"/subscriptions/5e1d1a2c-0100","na' } },
  nothing: { answer: { status: 200, text: '' } },
  'a list where an object belongs': { answer: { status: 200, text: '[]' } },
  'a text where an object belongs': { answer: { status: 200, text: '"ok"' } },
  null: { answer: { status: 200, text: 'null' } },
  'an empty object': { answer: { status: 200, text: '{}' } },
  'a page with 404': { answer: { status: 404, text: page, headers: { 'content-type': 'text/html' } } },
  'a page with 502': { answer: { status: 502, text: page, headers: { 'content-type': 'text/html' } } },
  '401': { answer: { status: 401, code: 'InvalidAuthenticationToken', headers: { 'www-authenticate': 'Bearer error="invalid_token"' } } },
  'a body that breaks off': { drop: 'midway' },
}

describe('an answer that is none', () => {
  const pairs = Object.keys(garbage).flatMap((kind) => Object.keys(looks).map((what) => [kind, what] as const))
  it.each(pairs)('%s for a %s is unknown, never an absence or an empty thing', async (kind, what) => {
    await world.azure.groups.get('data100-19s')
    world.test.faults.plantOnWire({ match: { method: 'GET', path: '^/subscriptions/' }, times: 1, ...garbage[kind] })
    const error = await errorOf(looks[what]!(world.azure))
    expect(error.code).toMatch(/^azure\.(garbled|busy|refused|unreachable|token-refused)$/)
    expect(error.message.length).toBeLessThan(700)
    // What was wrong was wrong with that answer.
    expect(await looks[what]!(world.azure)).toBeDefined()
  })

  it('that does not come to its end is given up after a while', async () => {
    const { cloud, clock, test } = world
    const session = new AzureSession({ cloud, subscription: test.subscription, clock, environment: {}, answerWithinMs: 300 })
    const door = openAzure(session, hostFactsReader(session), { run: 'r', runbook: 'b', step: 's' })
    await world.azure.groups.get('data100-19s')
    world.test.faults.plantOnWire({ match: { method: 'GET', path: '^/subscriptions/' }, times: 99, drop: 'never' })
    for (const look of Object.values(looks)) {
      expect(await errorOf(look(door))).toMatchObject({ code: 'azure.unreachable', message: expect.stringContaining('no answer in time') as string, retry: {} })
    }
  })

  it('names the one who answers, with the beginning of what was said', async () => {
    await world.azure.groups.get('data100-19s')
    world.test.faults.plantOnWire({ match: { method: 'GET', path: '^/subscriptions/' }, times: 1, ...garbage['a page of HTML'] })
    const { message, hint } = await errorOf(world.azure.groups.get('data100-19s'))
    expect(message).toMatch(/^127\.0\.0\.1:\d+ answers with what is no JSON: "<html>.*Campus/)
    expect(hint).toContain('proxy')
  })

  it('to a login is no refusal of it', async () => {
    const fresh = world.session()
    const door = openAzure(fresh, hostFactsReader(fresh), { run: 'r', runbook: 'b', step: 's' })
    world.test.faults.plantOnWire({ match: { path: '/token$' }, times: 1, ...garbage['a page of HTML'] })
    const error = await errorOf(door.groups.get('data100-19s'))
    expect(error.code).toMatch(/^azure\.(garbled|unreachable|busy)$/)
    expect(error.retry).toBeDefined()
  })
})

describe('a token that is refused before its end', () => {
  it('is worth one more try, which logs in anew', async () => {
    await world.azure.groups.get('data100-19s')
    world.test.faults.plantInLogin({ tokens: 'revoked' })
    expect(await errorOf(world.azure.groups.get('data100-19s'))).toMatchObject({ code: 'azure.token-refused', retry: {} })
    expect(await world.azure.groups.get('data100-19s')).toBeDefined()
  })

  it('is told as a login that is refused where there is no other, and not tried again', async () => {
    await world.azure.groups.get('data100-19s')
    world.test.faults.plantInLogin({ login: 'refused', tokens: 'revoked' })
    expect((await errorOf(world.azure.groups.get('data100-19s'))).code).toBe('azure.token-refused')
    const error = await errorOf(world.azure.groups.get('data100-19s'))
    expect(error).toMatchObject({ code: 'azure.login', retry: undefined, hint: expect.stringContaining('Log in again') as string })
    expect(error.message).toContain('AADSTS7000222')
  })
})
