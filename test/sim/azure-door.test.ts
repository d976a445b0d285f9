import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LifeboatError } from '../../src/contract/index.js'
import { hostFactsReader, openAzure } from '../../src/platform/azure/open.js'
import { AzureSession } from '../../src/platform/azure/session.js'
import { azureWorld, type AzureWorld } from '../helpers/azure.js'
import { clusterType, machineType, oldGroup, putMachine } from '../helpers/world.js'

let world: AzureWorld
beforeEach(async () => {
  world = await azureWorld()
})
afterEach(() => world[Symbol.asyncDispose]())

const errorOf = async (work: Promise<unknown>): Promise<LifeboatError> => {
  const error = await work.then(() => undefined, (thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(LifeboatError)
  return error as LifeboatError
}
const doorOn = (session = world.session()) => openAzure(session, hostFactsReader(session), { run: 'r1', runbook: 'data100', step: 's1' })
const writes = (): string[] => world.test.world.requests.filter((one) => one.writes).map(({ method, path }) => `${method} ${path}`)
const definition = {
  location: 'westus2',
  kubernetesVersion: '1.33.2',
  dnsPrefix: 'new',
  agentPools: [{ name: 'pool1', mode: 'System', count: 1, vmSize: 'Standard_E16s_v3' }],
}

describe('powering a machine on and off', () => {
  it('ends well where its result has no body, and only there', async () => {
    const id = world.test.id(oldGroup, machineType, 'nfsserver')
    for (const act of ['deallocate', 'start'] as const) await (await world.azure.machines[act](id)).done
    expect((await world.azure.machines.get(id))?.powerState).toBe('running')
    world.test.faults.plantOnWire({ match: { method: 'GET', path: 'nfsserver$' }, times: 1, answer: { status: 200, text: '' } })
    expect(await errorOf(world.azure.machines.get(id))).toMatchObject({ code: 'azure.garbled' })
  })

  it('is nothing to read a command’s result by: one without a body is no silence of the machine', async () => {
    const id = world.test.id(oldGroup, machineType, 'nfsserver')
    world.test.faults.plantOnWire({ match: { method: 'GET', path: 'operationresults' }, times: 20, answer: { status: 200, text: '' } })
    expect(await errorOf(hostFactsReader(world.session()).of(id))).toMatchObject({ code: 'azure.garbled', retry: {} })
  })

  it('leaves one whose guest has shut down without an agent, for which nobody waits', async () => {
    const id = world.test.id(oldGroup, machineType, 'nfsserver')
    world.test.world.host(id)!.power = 'stopped'
    expect(await errorOf(hostFactsReader(world.session()).of(id))).toMatchObject({ code: 'azure.run-command', retry: undefined })
  })
})

describe('a login', () => {
  it('that an overloaded authority answers is no denial', async () => {
    world.test.faults.plantOnWire({ match: { method: 'POST', path: 'oauth2' }, times: 1, answer: { status: 503, code: 'Unavailable' } })
    expect(await errorOf(world.azure.groups.get('data100-19s'))).toMatchObject({ code: 'azure.busy', retry: {} })
    // The login library asks nobody for a minute then.
    expect(await errorOf(world.azure.groups.get('data100-19s'))).toMatchObject({ code: 'azure.busy', retry: {} })
  })
})

describe('reading', () => {
  it('answers undefined for what does not exist, and only for that', async () => {
    expect(await world.azure.groups.get('nowhere')).toBeUndefined()
    expect(await world.azure.clusters.get(world.test.id('data100-19s', clusterType, 'none'))).toBeUndefined()
    expect((await world.azure.groups.get('data100-19s'))?.location).toBe('westus2')
  })

  it('does not take a missing subscription for a missing group', async () => {
    world.test.faults.plantOnWire({ match: { path: 'resourceGroups' }, times: 1, answer: { status: 404, code: 'SubscriptionNotFound' } })
    expect(await errorOf(world.azure.groups.get('data100-19s'))).toMatchObject({ code: 'azure.refused' })
  })

  it('does not take a 404 that is not Azure’s for an absence', async () => {
    world.test.faults.plantOnWire({ match: { path: 'resourceGroups' }, times: 1, answer: { status: 404, code: 'Site' } })
    expect(await errorOf(world.azure.groups.get('data100-19s'))).toMatchObject({ code: 'azure.refused' })
  })

  it('refuses an id of another subscription before anything is sent', async () => {
    const id = '/subscriptions/other/resourceGroups/g/providers/Microsoft.Compute/disks/d'
    expect(await errorOf(world.azure.disks.get(id))).toMatchObject({ code: 'azure.other-subscription', blame: 'user' })
    expect(world.test.world.requests.filter(({ door }) => door === 'arm')).toEqual([])
  })

  it('asks once a minute for what a zone keeps as long as it lives, and never believes that there is none', async () => {
    const { id, nameServers } = world.test.world.spec.zones[0]!
    const { zones } = world.azure
    expect(await zones.nameServers(id.replace(/[^/]+$/, 'elsewhere.example'))).toBeUndefined()
    for (const _ of [1, 2]) expect(await zones.nameServers(id)).toEqual(nameServers)
    const asked = () => world.test.world.requests.filter(({ path }) => path.toLowerCase().endsWith(id.toLowerCase()))
    expect(asked()).toHaveLength(1)
    await world.clock.sleep(60_000)
    expect(await zones.nameServers(id)).toEqual(nameServers)
    expect(asked()).toHaveLength(2)
    expect(await zones.nameServers(id.replace(/[^/]+$/, 'elsewhere.example'))).toBeUndefined()
    expect(world.test.world.requests.filter(({ path }) => path.toLowerCase().endsWith('elsewhere.example'))).toHaveLength(2)
  })

  it('is retried by nobody but the engine, which is told how long to wait', async () => {
    const headers = { 'x-ms-retry-after-ms': '1234', 'retry-after': '7' }
    world.test.faults.plantOnWire({ match: { path: 'resourceGroups' }, times: 1, answer: { status: 429, code: 'TooManyRequests', headers } })
    expect(await errorOf(world.azure.groups.get('data100-19s'))).toMatchObject({ code: 'azure.busy', retry: { afterMs: 1234 } })
    expect(world.test.world.requests.filter(({ door }) => door === 'arm')).toHaveLength(1)
  })

  it.each([
    [403, 'AuthorizationFailed', 'azure.denied', false],
    [409, 'AnotherOperationInProgress', 'azure.in-flight', true],
    [409, 'ScopeLocked', 'azure.locked', true],
    [409, 'PropertyChangeNotAllowed', 'azure.refused', false],
    [409, 'QuotaExceeded', 'azure.quota', false],
    [409, 'SkuNotAvailable', 'azure.no-capacity', false],
    [409, 'RoleAssignmentExists', 'azure.in-flight', true],
    [400, 'PrincipalNotFound', 'azure.in-flight', true],
    [503, 'ServiceUnavailable', 'azure.busy', true],
  ])('%i %s is %s', async (status, code, expected, retryable) => {
    world.test.faults.plantOnWire({ match: { path: 'resourceGroups' }, times: 1, answer: { status, code } })
    const error = await errorOf(world.azure.groups.get('data100-19s'))
    expect([error.code, error.retry !== undefined]).toEqual([expected, retryable])
  })

  it('tells vCPU quota from an operation in flight, which share a code', async () => {
    const message = 'Operation could not be completed as it results in exceeding approved standardESv3Family Cores quota.'
    world.test.faults.plantOnWire({ match: { path: 'resourceGroups' }, times: 1, answer: { status: 409, code: 'OperationNotAllowed', message } })
    expect(await errorOf(world.azure.groups.get('data100-19s'))).toMatchObject({ code: 'azure.quota' })
  })
})

describe('a cloud that does not answer', () => {
  it('is unreachable, not a denial, when its authority is gone', async () => {
    const door = doorOn(world.session({ authority: 'https://127.0.0.1:9' }))
    expect(await errorOf(door.groups.get('g'))).toMatchObject({ code: 'azure.unreachable', retry: {} })
  })

  it('is unreachable when its resource manager is gone', async () => {
    const door = doorOn(world.session({ resourceManager: 'https://127.0.0.1:9' }))
    expect(await errorOf(door.groups.get('g'))).toMatchObject({ code: 'azure.unreachable', retry: {} })
  })

  it('leaves no token in the errors it makes', async () => {
    await world.azure.groups.get('data100-19s')
    world.test.faults.plantOnWire({ match: { path: 'resourceGroups' }, times: 1, answer: { status: 500 } })
    const error = await errorOf(world.azure.groups.get('data100-19s'))
    expect(error.cause).toBeInstanceOf(Error)
    expect(inspect(error, { depth: 9, showHidden: true, customInspect: false })).not.toMatch(/Bearer|authorization/i)
  })

  it('may answer again later: a dropped connection is worth another try', async () => {
    world.test.faults.plantOnWire({ match: { path: 'resourceGroups' }, times: 1, drop: 'before' })
    expect(await errorOf(world.azure.groups.get('data100-19s'))).toMatchObject({ code: 'azure.unreachable', retry: {} })
    expect(await world.azure.groups.get('data100-19s')).toBeDefined()
  })

  it('is not believed without a certificate that the cloud file vouches for', async () => {
    const { certificateAuthority: _none, ...cloud } = world.cloud
    const session = new AzureSession({ cloud, subscription: world.test.subscription, clock: world.clock, environment: {} })
    expect(await errorOf(doorOn(session).groups.get('g'))).toMatchObject({ code: 'azure.untrusted', blame: 'user', retry: undefined })
  })

  it('says that the login was refused, without saying the secret', async () => {
    const door = doorOn(world.session({ credential: { kind: 'client-secret', clientId: world.test.arm.client.id, secret: { file: world.key } } }))
    const error = await errorOf(door.groups.get('g'))
    expect(error).toMatchObject({ code: 'azure.login', retry: undefined, hint: expect.stringContaining('Log in again') as string })
    expect(error.message).toMatch(/^the login does not work: /)
    expect(inspect(error, { depth: 8 })).not.toContain('OPENSSH PRIVATE KEY')
  })
})

describe('writing', () => {
  it('tags what it makes with run, runbook and step', async () => {
    const { id } = { id: world.test.id('data100-19s', clusterType, 'new') }
    await world.azure.clusters.create(id, definition)
    expect(world.test.world.resource(id)?.tags).toEqual({ 'lifeboat-run': 'r1', 'lifeboat-runbook': 'data100', 'lifeboat-step': 's1' })
  })

  it('keeps the tags of what it changes', async () => {
    world.test.addGroup('g')
    const id = world.test.id('g', 'Microsoft.Network/networkSecurityGroups', 'n')
    await (await world.azure.resources.put({ id, location: 'westus2', properties: {}, tags: { owner: 'others' } })).done
    const there = await world.azure.resources.get(id)
    await (await world.azure.resources.put({ ...there!, properties: { securityRules: [] } })).done
    expect(world.test.world.resource(id)?.tags).toEqual({ owner: 'others' })
  })

  it('is refused where what was read has been changed since, and sends no condition with its polls', async () => {
    world.test.addGroup('g')
    const id = world.test.id('g', 'Microsoft.Network/networkSecurityGroups', 'n')
    await (await world.azure.resources.put({ id, location: 'westus2', properties: {} })).done
    const there = await world.azure.resources.get(id)
    expect(there?.etag).toMatch(/^W\/".+"$/)
    await (await world.azure.resources.put({ ...there!, properties: { defaultSecurityRules: [] } })).done
    expect(await errorOf(world.azure.resources.put(there!))).toMatchObject({ code: 'azure.etag', retry: {} })
    expect((await world.azure.resources.get(id))?.properties).toMatchObject({ defaultSecurityRules: [] })
  })

  it('resolves once Azure has accepted it, and its end is told by done', async () => {
    const id = world.test.id('data100-19s', clusterType, 'new')
    const { done } = await world.azure.clusters.create(id, definition)
    expect((await world.azure.clusters.get(id))?.provisioningState).toBe('Creating')
    expect(world.test.world.operations.map(({ status }) => status)).toEqual(['running'])
    await done
    expect(world.test.world.operations.map(({ status }) => status)).toEqual(['succeeded'])
  })

  it('is never sent twice when its answer is lost', async () => {
    const id = world.test.id('data100-19s', clusterType, 'new')
    world.test.faults.plantOnWire({ match: { method: 'PUT', path: 'managedClusters' }, times: 1, drop: 'after' })
    expect(await errorOf(world.azure.clusters.create(id, definition))).toMatchObject({ code: 'azure.unreachable', retry: {} })
    expect(writes()).toHaveLength(1)
    expect((await world.azure.clusters.get(id))?.provisioningState).toBe('Creating')
  })

  it('follows its operation through lost and refused looks', async () => {
    const id = world.test.id('data100-19s', clusterType, 'new')
    const { done } = await world.azure.clusters.create(id, definition)
    world.test.faults.plantOnWire({ match: { method: 'GET', path: '/operations/' }, times: 2, drop: 'before' })
    world.test.faults.plantOnWire({ match: { method: 'GET', path: '/operations/' }, times: 2, answer: { status: 503, code: 'ServiceUnavailable' } })
    await done
    expect(writes()).toHaveLength(1)
  })

  it('rejects done with the error of the operation', async () => {
    world.test.faults.plantInOperation({ operation: 'cluster create', times: 1, fail: { code: 'InternalOperationError', message: 'no luck today' } })
    const { done } = await world.azure.clusters.create(world.test.id('data100-19s', clusterType, 'new'), definition)
    const error = await errorOf(done)
    expect(error).toMatchObject({ code: 'azure.operation-failed', retry: undefined })
    expect(error.message).toContain('no luck today')
    expect(error.message).not.toContain('http')
  })

  it('harms nobody when done is let go', async () => {
    world.test.faults.plantInOperation({ operation: 'cluster create', times: 1, fail: { code: 'InternalOperationError' } })
    const id = world.test.id('data100-19s', clusterType, 'new')
    void (await world.azure.clusters.create(id, definition))
    await world.clock.sleep(30 * 60_000)
    expect((await world.azure.clusters.get(id))?.provisioningState).toBe('Failed')
  })

  it('takes no answer to a question for an operation for one to the deletion itself', async () => {
    const id = world.test.id(oldGroup, machineType, 'nfsserver')
    const unknown = { answer: { status: 404, code: 'ResourceNotFound' } }
    const deletions = [() => world.azure.groups.delete('data100-19s'), () => world.azure.machines.delete(id)]
    for (const deletion of deletions) {
      world.test.faults.plantOnWire({ match: { method: 'GET', path: 'operation' }, times: 1, ...unknown })
      const error: unknown = await deletion().then(({ done }) => done).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'azure.operation-unknown', retry: {} })
    }
  })

  it('counts what is not there as deleted', async () => {
    world.test.addGroup('g')
    await (await world.azure.resources.delete(world.test.id('g', 'Microsoft.Network/virtualNetworks', 'none'))).done
    await (await world.azure.groups.delete('none')).done
    await (await world.azure.machines.delete(world.test.id('none', machineType, 'none'))).done
  })
})

describe('secrets and host facts', () => {
  it('lists a kubeconfig as a secret', async () => {
    const listed = await world.azure.clusters.credentials(world.test.id('data100-19s', clusterType, 'data100-19s'))
    expect(inspect(listed)).toBe('***')
    expect(listed.reveal()).toContain('apiVersion')
  })

  it('reads network, address and host key of a machine, the key once for each machine', async () => {
    const old = await world.azure.machines.hostFacts(world.test.id(oldGroup, machineType, 'nfsserver'))
    expect(old).toMatchObject({ address: '10.240.0.7', network: expect.stringMatching(/virtualNetworks\/aks-vnet$/) as string })
    const made = await putMachine(world.test)
    world.test.clock.advance(world.test.world.durationOf('boot'))
    const fresh = await world.azure.machines.hostFacts(made)
    expect(fresh.network).toMatch(/virtualNetworks\/data100$/)
    expect(fresh.hostKeys).toEqual([world.test.world.host(made)?.hostKey.public])
    expect(fresh.hostKeys).not.toEqual(old.hostKeys)
    await world.azure.machines.hostFacts(made)
    expect(world.test.world.requests.filter(({ path }) => path.endsWith('/runCommand'))).toHaveLength(2)
  })

  it('is not held up by an agent that says nothing, also where Azure still waits for it (A137)', async () => {
    const old = world.test.id(oldGroup, machineType, 'nfsserver')
    const host = world.test.world.host(old)
    if (host) host.answers = false
    const minutes = (): number => world.test.clock.nowMs() / 60_000
    for (const [why, atMost] of [[/has not answered within 180 s/, 4], [/is in progress.*like that for 90 s/, 2]] as const) {
      const began = minutes()
      await expect(world.azure.machines.hostFacts(old)).rejects.toMatchObject({ code: 'azure.run-command', message: expect.stringMatching(why) as string })
      expect(minutes() - began).toBeLessThan(atMost)
    }
    if (host) host.answers = true
    expect(await world.azure.machines.hostFacts(old)).toHaveProperty('address', '10.240.0.7')
  })

  it('says of an agent that is at the script of somebody else that nothing was asked', async () => {
    const old = world.test.id(oldGroup, machineType, 'nfsserver')
    world.test.world.begin('runCommand', old, 4 * 60_000, () => undefined)
    await expect(world.azure.machines.hostFacts(old)).rejects.toMatchObject({ code: 'azure.agent-busy', retry: {} })
    expect(await world.azure.machines.hostFacts(old)).toHaveProperty('address', '10.240.0.7')
  })

  it('reads management locks, and no lock of a move', async () => {
    world.test.addGroup('g')
    const id = `${world.test.id('g', 'x', 'y').split('/providers')[0] ?? ''}/providers/Microsoft.Authorization/locks/keep`
    await world.test.send('PUT', id, { properties: { level: 'CanNotDelete' } })
    expect(await world.azure.groups.locks('g')).toEqual([{ id, scope: id.split('/providers')[0], level: 'CanNotDelete' }])
    expect(await world.azure.groups.locks('nowhere')).toEqual([])
  })
})
