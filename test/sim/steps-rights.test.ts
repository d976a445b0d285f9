import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LifeboatError, Pending, type Change } from '../../src/contract/index.js'
import { backwards } from '../../src/engine/undo.js'
import { managedIdentity } from '../../src/steps/azure-managed-identity.js'
import { roleAssignment } from '../../src/steps/azure-role-assignment.js'
import { clusterSite } from '../helpers/azure.js'
import { Driven } from '../helpers/steps.js'
import { until } from '../helpers/world.js'

let world: Awaited<ReturnType<typeof clusterSite>>
beforeEach(async () => {
  world = await clusterSite()
})
afterEach(() => world[Symbol.asyncDispose]())

const labels = (changes: readonly Change[]): string[] => changes.map(({ action, resource }) => `${action} ${resource}`)
const writes = (): number => world.test.world.requests.filter((one) => one.writes).length
const assignments = () => world.test.world.ofType('Microsoft.Authorization/roleAssignments')
const identity = (changes: Record<string, unknown> = {}): Driven =>
  world.driven(managedIdentity, { resourceGroup: 'data100-19s-2', location: 'westus2', name: 'hub', ...changes })

/** Lets the time pass that a PUT takes which is answered only when it is done. */
async function done<T>(work: Promise<T>): Promise<T> {
  let over = false
  const ended = () => (over = true)
  work.then(ended, ended)
  const running = (): boolean => world.test.world.operations.some(({ what, status }) => status === 'running' && /identity|role/.test(what))
  await until(() => over || running())
  world.test.clock.advance(5_000)
  return work
}

describe('azure/managed-identity', () => {
  it('makes one, finds it again with its principal, and takes it away', async () => {
    const step = identity()
    const before = writes()
    const changes = await step.plan()
    expect([labels(changes), writes()]).toEqual([['create managedIdentity hub'], before])
    await done(step.apply(changes))
    const id = world.test.id('data100-19s-2', 'Microsoft.ManagedIdentity/userAssignedIdentities', 'hub')
    const there = world.test.world.resource(id)
    expect(there?.tags).toMatchObject({ 'lifeboat-run': 'r1' })
    expect(await identity().see()).toEqual({ state: 'converged', outputs: { id, principalId: there?.properties['principalId'] } })
    await step.apply(step.module.invert(changes) as Change[])
    expect(await step.see()).toEqual({ state: 'absent' })
  })

  it('conflicts with one that is elsewhere', async () => {
    await done(identity().make())
    expect(await identity({ location: 'eastus' }).see()).toMatchObject({ state: 'conflict', why: 'identity hub exists in westus2, not in eastus' })
  })
})

describe('azure/role-assignment', () => {
  let principal = ''
  beforeEach(async () => {
    await done(identity().make())
    const seen = await identity().see()
    principal = seen.state === 'converged' ? String(seen.outputs['principalId']) : ''
  })
  const role = (changes: Record<string, unknown> = {}): Driven =>
    world.driven(roleAssignment, { scope: world.subnet, principal, role: 'Network Contributor', ...changes })
  const byOthers = (scope: string, guid = '4d97b98b-1d4f-4787-a291-c67834d212e7') => {
    const roleDefinitionId = `/providers/Microsoft.Authorization/roleDefinitions/${guid}`
    const id = `${scope}/providers/Microsoft.Authorization/roleAssignments/11111111-2222-4333-8444-555555555555`
    return done(world.test.send('PUT', id, { properties: { principalId: principal, principalType: 'ServicePrincipal', roleDefinitionId } }))
  }

  it('gives a new identity its role, and is converged once others see it', async () => {
    const step = role()
    const before = writes()
    const changes = await step.plan()
    expect([labels(changes), writes()]).toEqual([['create roleAssignment Network Contributor'], before])
    await done(step.apply(changes))
    expect(await step.see()).toMatchObject({ state: 'in-flight', what: expect.stringMatching(/assigned \d+ s ago/) as string })
    expect(await role({ seenAfter: '0s' }).see()).toMatchObject({ state: 'converged' })
    world.test.clock.advance(world.test.world.durationOf('role assignment seen'))
    expect(await step.see()).toEqual({ state: 'converged', outputs: { id: assignments()[0]?.id } })
    await step.apply(step.module.invert(changes) as Change[])
    expect([assignments(), await step.see()]).toEqual([[], { state: 'absent' }])
  })

  it('is found by a fresh run at once, though lists do not show it yet', async () => {
    await done(role().make())
    expect(await world.azure.roles.at(world.subnet)).toEqual([])
    expect(await role({ seenAfter: '0s', scope: world.subnet.replace('resourceGroups', 'resourcegroups') }).see()).toMatchObject({ state: 'converged' })
    expect(assignments()).toHaveLength(1)
  })

  it('counts what others have given, there or above, and no other role', async () => {
    await byOthers(world.subnet.split('/providers/')[0] ?? '')
    world.test.clock.advance(120_000)
    expect(await role().see()).toMatchObject({ state: 'converged', outputs: { id: assignments()[0]?.id } })
    expect(await role({ role: 'Reader' }).see()).toEqual({ state: 'absent' })
    expect(await role({ principal: '00000000-0000-4000-8000-000000000001' }).see()).toEqual({ state: 'absent' })
  })

  it('is taken away alone: what others have given there or above is named and left, and the way back ends', async () => {
    const group = world.subnet.split('/providers/')[0] ?? ''
    const step = role({ seenAfter: '0s' })
    const changes = await done(step.make())
    await byOthers(group)
    world.test.clock.advance(world.test.world.durationOf('list lag'))
    const back = new Driven(backwards(step.module, changes), world.doors, world.clock, step.given)
    expect(labels(await back.plan())).toEqual(['delete roleAssignment Network Contributor'])
    const theirs = `${group}/providers/Microsoft.Authorization/roleAssignments/11111111-2222-4333-8444-555555555555`
    const left = { code: 'role.given-twice', leaves: true, message: expect.stringContaining(theirs) as string }
    await expect(done(back.make())).rejects.toMatchObject(left)
    expect(assignments().map(({ id }) => id)).toEqual([theirs])
    // A life that begins after the deletion ends in the same way.
    await expect(done(back.make())).rejects.toMatchObject(left)
    await done(world.test.send('DELETE', theirs))
    await done(back.make())
    expect(await back.see()).toEqual({ state: 'converged', outputs: {} })
  })

  it('is worth another look when somebody was first a moment ago', async () => {
    await byOthers(world.subnet)
    const step = role({ seenAfter: '0s' })
    const refused = done(step.make())
    await expect(refused).rejects.toMatchObject({ code: 'azure.in-flight', retry: {} })
    world.test.clock.advance(world.test.world.durationOf('list lag'))
    expect((await step.see()).state).toBe('converged')
  })

  it('does not know where it cannot look', async () => {
    world.test.faults.plantOnWire({ match: { method: 'GET', path: 'roleAssignments' }, times: 1, answer: { status: 403, code: 'AuthorizationFailed' } })
    await expect(role().see()).rejects.toBeInstanceOf(LifeboatError)
  })

  it('bears one name in every plan, however much is pending', async () => {
    const step = role()
    const inputs = { ...step.inputs, scope: new Pending(['network']), principal: new Pending(['identity']) }
    const [shown] = step.module.plan(inputs, { state: 'absent' })
    const [now] = await step.plan()
    expect(Object.keys(shown ?? {})).toEqual(Object.keys(now ?? {}))
    expect([shown?.resource, shown?.action]).toEqual([now?.resource, now?.action])
  })

  it('knows built-in roles by name, others by the GUID of their definition, and nothing else', () => {
    expect(() => role({ role: 'Network Contributer' })).toThrow('Network Contributor')
    expect(role({ role: 'f1a07417-d97a-45cb-824c-7a7467783830' }).inputs['role']).toBe('f1a07417-d97a-45cb-824c-7a7467783830')
  })
})
