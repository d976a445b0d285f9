import { describe, expect, it } from 'vitest'
import { LifeboatError } from '../../src/contract/index.js'
import type { Failure } from '../../src/platform/azure/activity-door.js'
import type { Cluster } from '../../src/platform/azure/door.js'
import type { Platform } from '../../src/platform/platform.js'
import { explained, stateOfFailed } from '../../src/steps/parts/cluster-failure.js'

const now = new Date('2019-02-25T20:00:00Z')
const id = '/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c'
const hour = 3_600_000
const made: Cluster = {
  id,
  location: 'westus2',
  kubernetesVersion: '1.33.2',
  dnsPrefix: 'c',
  provisioningState: 'Failed',
  fqdn: 'c-1.hcp.westus2.azmk8s.io',
  createdAt: new Date(now.getTime() - hour),
  agentPools: [{ name: 'core', mode: 'System', count: 1, vmSize: 's', rest: { provisioningState: 'Failed' } }],
}
const doors = (failures: (id: string, since: Date) => Promise<readonly Failure[]>, found?: Cluster, wasWritten = async () => false) =>
  ({ azure: { activity: { failures, wasWritten }, clusters: { get: async () => found } } }) as unknown as Platform
const error = (code: string): LifeboatError => new LifeboatError(code, 'creating cluster c: it failed')
const failure = (code: string): Failure => ({ at: now, operation: 'write', code, message: 'as told' })

describe('the error of a cluster’s operation', () => {
  it('says what the activity log adds, the telling one of several', async () => {
    const said = await explained(error('azure.operation-failed'), id, doors(async () => [failure('Conflict'), failure('AllocationFailed')], made), now)
    expect(said).toMatchObject({
      code: 'azure.operation-failed',
      message: 'creating cluster c: it failed; the activity log says AllocationFailed: as told',
      hint: expect.stringMatching(/az aks delete --resource-group g --name c/) as string,
    })
  })

  it('stays as it is where the log tells nothing, and where it is another’s', async () => {
    const own = error('azure.quota')
    expect(await explained(own, id, doors(async () => []), now)).toBe(own)
    const other = error('azure.unreachable')
    expect(await explained(other, id, doors(async () => [failure('X')]), now)).toBe(other)
  })
})

/** `Failed` says how the last operation ended, and no more. */
describe('a cluster in state Failed', () => {
  const mendOf = async (given: Platform, found: Cluster): Promise<string> => (await stateOfFailed(found, given, now)).mend
  const told = async (): Promise<readonly Failure[]> => [failure('AllocationFailed')]
  const pools = (state: string) => made.agentPools.map((pool) => ({ ...pool, rest: { provisioningState: state } }))
  const { fqdn: _name, ...nameless } = made
  const { createdAt: _when, ...undated } = made
  const remove = /Delete first what there is of it \(az aks delete --resource-group g --name c\), then resume\.$/
  const keep = /It may serve hubs: do not delete it; have its state set right \(az aks update --resource-group g --name c\), then resume\.$/

  it.each([
    ['was never made, as the log of its whole life shows', made, remove],
    ['has no name for its API server', nameless, remove],
    ['has no pools', { ...undated, agentPools: [] }, remove],
    ['is private, and has a pool that came up', { ...nameless, rest: { privateFqdn: 'c.private' }, agentPools: pools('Succeeded') }, keep],
    ['has a pool that came up', { ...made, agentPools: pools('Succeeded') }, keep],
    ['is older than what is read of the log', { ...made, createdAt: new Date(now.getTime() - 25 * hour) }, keep],
    ['is of nobody knows when', undated, keep],
  ])('that %s', async (_, found, mend) => {
    expect(await mendOf(doors(told, found), found)).toMatch(mend)
  })

  it('that was made, and changed since, is not to be deleted, nor where that cannot be read', async () => {
    expect(await mendOf(doors(told, made, async () => true), made)).toMatch(keep)
    const unread = () => Promise.reject(new LifeboatError('azure.denied', 'no right to read it'))
    expect(await mendOf(doors(told, made, unread), made)).toMatch(keep)
    expect(await mendOf(doors(unread, made, unread), made)).toMatch(keep)
    const blind = { azure: { ...doors(told).azure, clusters: { get: unread } } } as unknown as Platform
    expect(await explained(error('azure.quota'), id, blind, now)).toMatchObject({ hint: expect.stringMatching(keep) as string })
  })

  it('of which the log, minutes behind, says nothing yet, is left until it does', async () => {
    expect(await mendOf(doors(async () => [], made), made)).toMatch(/says nothing of it yet\. Resume in some minutes, .*delete nothing/)
  })

  it('is told from what has failed since it was made, and not in the life of another of its name', async () => {
    const asked: Date[] = []
    const look = async (_id: string, since: Date) => (asked.push(since), [])
    await mendOf(doors(look, made), made)
    await mendOf(doors(look, undated), undated)
    expect(asked).toEqual([made.createdAt, new Date(now.getTime() - 24 * hour)])
  })

  it('is not to be deleted where none was made', async () => {
    const said = await explained(error('azure.quota'), id, doors(told), now)
    expect(said).toMatchObject({ hint: expect.not.stringContaining('delete') as string })
  })
})
