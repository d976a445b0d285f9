import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Finding } from '../../src/contract/index.js'
import { backwards } from '../../src/engine/undo.js'
import { aksCluster } from '../../src/steps/azure-aks-cluster.js'
import { clusterSite } from '../helpers/azure.js'
import { Driven } from '../helpers/steps.js'
import { clusterType } from '../helpers/world.js'

let world: Awaited<ReturnType<typeof clusterSite>>
beforeEach(async () => {
  world = await clusterSite()
})
afterEach(() => world[Symbol.asyncDispose]())

const oldId = (): string => world.test.id('data100-19s', clusterType, 'data100-19s')
const newId = (): string => world.test.id('data100-19s-2', clusterType, 'data100-19s-2')
const made = () => world.test.world.resource(newId())
const cluster = (changes: Record<string, unknown> = {}): Driven =>
  world.driven(aksCluster, {
    resourceGroup: 'data100-19s-2',
    location: 'westus2',
    name: 'data100-19s-2',
    kubernetesVersion: '1.33.2',
    like: oldId(),
    subnet: world.subnet,
    ...changes,
  })
const warned = async (step: Driven): Promise<string[]> => {
  const said = await step.module.preflight(await step.plan(), step.inputs, step.ctx)
  const found = said.filter((one): one is Finding => 'level' in one)
  return found.map(({ level, what }) => `${level}: ${what}`)
}

describe('a cluster like its source', () => {
  it('has what means the same elsewhere, and says what it will not have', async () => {
    const old = world.test.world.resource(oldId())!
    old.tags = { team: 'data100' }
    Object.assign(old.properties, {
      apiServerAccessProfile: { authorizedIPRanges: ['203.0.113.0/24'] },
      addonProfiles: { omsagent: { enabled: true, config: {} }, azurepolicy: { enabled: false } },
      identityProfile: { kubeletidentity: { objectId: 'o' } },
      networkProfile: { ...(old.properties['networkProfile'] as object), loadBalancerProfile: { managedOutboundIPs: { count: 2 }, effectiveOutboundIPs: [{ id: '/x' }] } },
    })
    const [pool] = old.properties['agentPoolProfiles'] as Record<string, unknown>[]
    Object.assign(pool!, { nodeLabels: { a: 'b' }, nodeTaints: ['k=v:NoSchedule'], enableAutoScaling: true, minCount: 2, maxCount: 6, osSKU: 'Ubuntu', osDiskType: 'Managed', nodeImageVersion: 'old' })
    const step = cluster()
    expect((await warned(step)).filter((one) => one.includes('will not have'))).toEqual([
      expect.stringMatching(/^warn: the new cluster will not have of data100-19s: its addons omsagent; the rights of its nodes’ identity .*attach-acr/) as string,
    ])
    await step.make()
    expect(made()?.tags).toMatchObject({ team: 'data100', 'lifeboat-run': 'r1' })
    expect(made()?.properties).toMatchObject({
      enableRBAC: true,
      apiServerAccessProfile: { authorizedIPRanges: ['203.0.113.0/24'] },
      networkProfile: { networkPlugin: 'kubenet', podCidr: '10.244.0.0/16', loadBalancerProfile: { managedOutboundIPs: { count: 2 } } },
      agentPoolProfiles: [{ count: 4, nodeLabels: { a: 'b' }, nodeTaints: ['k=v:NoSchedule'], enableAutoScaling: true, minCount: 2, maxCount: 6, osSKU: 'Ubuntu', osDiskType: 'Managed', vnetSubnetID: world.subnet }],
    })
    expect(JSON.stringify(made()?.properties)).not.toMatch(/omsagent|kubeletidentity|1\.11\.7|"old"/)
  })

  it('is made from the runbook where its source is gone, and says so', async () => {
    const pools = [{ name: 'core', mode: 'System', count: 2, vmSize: 'Standard_E16s_v3' }]
    const step = cluster({ like: `${oldId()}-gone`, pools, network: { networkPlugin: 'azure', networkPluginMode: 'overlay', podCidr: '10.244.0.0/16' } })
    expect(await warned(step)).toEqual(['warn: the cluster to copy, data100-19s-gone, does not exist any more: the pools of the runbook are taken'])
    await step.make()
    expect(made()?.properties).toMatchObject({ networkProfile: { networkPluginMode: 'overlay' }, agentPoolProfiles: [{ name: 'core', count: 2 }] })
  })

  it('stops where its source cannot be read: that is not to say that it is gone', async () => {
    world.test.faults.plantOnWire({ match: { method: 'GET', path: 'managedClusters/data100-19s$' }, times: 9, answer: { status: 403, code: 'AuthorizationFailed' } })
    const pools = [{ name: 'core', mode: 'System', count: 2, vmSize: 'Standard_E16s_v3' }]
    expect((await warned(cluster({ pools })))[0]).toMatch(/^stop: reading cluster data100-19s/)
  })
})

describe('a cluster that is there', () => {
  it('and stopped is no cluster for hubs until somebody starts it; a way back deletes it as it is (A130)', async () => {
    const changes = await cluster().make()
    world.test.clock.advance(60_000)
    expect(await cluster().see()).toMatchObject({ state: 'converged' })
    made()!.properties['powerState'] = { code: 'Stopped' }
    expect(await cluster().see()).toMatchObject({
      state: 'conflict',
      why: 'cluster data100-19s-2 is stopped',
      mend: 'Start it (`az aks start --resource-group data100-19s-2 --name data100-19s-2`), then resume.',
    })
    const back = new Driven(backwards(cluster().module, changes), world.doors, world.clock, cluster().given)
    await back.make()
    expect(await back.see()).toEqual({ state: 'converged', outputs: {} })
  })
})

describe('a cluster that does not come up', () => {
  interface Cause {
    readonly code: string
    readonly message: string
  }
  const plant = (fault: { fail?: Cause; because?: Cause; durationMs?: number }): void =>
    world.test.faults.plantInOperation({ operation: 'cluster create', times: 1, ...fault })
  const later = (): void => world.test.clock.advance(world.test.world.durationOf('activity log') + 60_000)
  const tried = (): Promise<unknown> => cluster().make().catch((error: unknown) => error)

  it.each([
    ['AllocationFailed', /another size, other zones or none/],
    ['ErrCode_InsufficientVCPUQuota', /Ask for more quota/],
    ['ControlPlaneProvisioningInternalError', /ask for support/],
  ])('for %s says so, and what to do', async (code, mend) => {
    plant({ fail: { code, message: 'what Azure says' } })
    await tried()
    later()
    expect(await cluster().see()).toEqual({
      state: 'conflict',
      halfMade: 'managedCluster data100-19s-2',
      why: `cluster data100-19s-2 exists in state Failed: the activity log says ${code}: what Azure says`,
      mend: expect.stringMatching(new RegExp(`${mend.source}.*az aks delete --resource-group data100-19s-2 --name data100-19s-2`)) as string,
    })
  })

  it('and is there all the same, serving, is not to be deleted: changing it has failed (A131)', async () => {
    await cluster().make()
    world.test.clock.advance(60_000)
    world.test.faults.plantInOperation({ operation: 'cluster update', times: 1, fail: { code: 'QuotaExceeded', message: 'no more' } })
    const { location, identity, properties } = made()!
    expect((await world.test.send('PUT', newId(), { location, identity, properties })).status).toBe(200)
    world.test.clock.advance(30 * 60_000)
    later()
    const seen = await cluster().see()
    expect(seen).toMatchObject({
      state: 'conflict',
      why: expect.stringContaining('the activity log says QuotaExceeded') as string,
      mend: expect.stringMatching(/Ask for more quota.*It may serve hubs: do not delete it.*az aks update --resource-group data100-19s-2/) as string,
      halfMade: 'managedCluster data100-19s-2',
    })
    // Also where its pools have failed with it: it was made once.
    for (const pool of made()!.properties['agentPoolProfiles'] as Record<string, unknown>[]) pool['provisioningState'] = 'Failed'
    expect(await cluster().see()).toEqual(seen)
  })

  it('is told without its reason where the log cannot be read', async () => {
    plant({ fail: { code: 'AllocationFailed', message: 'no room' } })
    await tried()
    later()
    world.test.faults.plantOnWire({ match: { path: 'eventtypes' }, times: 2, answer: { status: 403, code: 'AuthorizationFailed' } })
    expect(await cluster().see()).toMatchObject({ state: 'conflict', why: expect.stringContaining('cannot be read') as string })
  })

  it('but hangs is let go of, and what keeps it is said while it is waited for', async () => {
    plant({ durationMs: 36_000_000, because: { code: 'ZonalAllocationFailed', message: 'no room in zone 1' } })
    await tried()
    later()
    expect(await cluster().see()).toEqual({
      state: 'in-flight',
      what: expect.stringMatching(/is creating, for 3\d min now; the activity log says ZonalAllocationFailed: no room in zone 1/) as string,
    })
  })

  it('but hangs for an hour, and nothing says why, is not only waited for: how to begin again is said, too', async () => {
    plant({ durationMs: 36_000_000 })
    await tried()
    world.test.clock.advance(25 * 60_000)
    expect(await cluster().see()).toEqual({ state: 'in-flight', what: expect.stringMatching(/is creating, for 5\d min now$/) as string })
    world.test.clock.advance(10 * 60_000)
    expect(await cluster().see()).toEqual({
      state: 'in-flight',
      what: expect.stringMatching(
        /for 6\d min now; the activity log does not say why\. Wait on, or delete what there is of it \(az aks delete --resource-group data100-19s-2 --name data100-19s-2\), then resume\.$/,
      ) as string,
    })
  })

  it('is tried again after as long as Azure asks for, when PUTs are throttled', async () => {
    const headers = { 'x-ms-retry-after-ms': '60000', 'retry-after': '60' }
    world.test.faults.plantOnWire({ match: { method: 'PUT', path: 'managedClusters' }, times: 1, answer: { status: 429, code: 'TooManyRequests', headers } })
    expect(await tried()).toMatchObject({ code: 'azure.busy', retry: { afterMs: 60_000 } })
  })

  it('is tried again when a right that is held is not seen yet', async () => {
    world.test.faults.plantOnWire({ match: { method: 'PUT', path: 'managedClusters' }, times: 1, answer: { status: 403, code: 'LinkedAuthorizationFailed' } })
    expect(await tried()).toMatchObject({ code: 'azure.denied', retry: {}, hint: expect.stringContaining('not seen everywhere yet') as string })
  })
})
