import { describe, expect, it } from 'vitest'
import { LifeboatError } from '../../src/contract/index.js'
import type { Failure } from '../../src/platform/azure/activity-door.js'
import type { Platform } from '../../src/platform/platform.js'
import { explained } from '../../src/steps/parts/cluster-failure.js'

const now = new Date('2019-02-25T20:00:00Z')
const id = '/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c'
const doors = (failures: () => Promise<readonly Failure[]>) => ({ azure: { activity: { failures } } }) as unknown as Platform
const error = (code: string): LifeboatError => new LifeboatError(code, 'creating cluster c: it failed')
const failure = (code: string): Failure => ({ at: now, operation: 'write', code, message: 'as told' })

describe('the error of a cluster’s operation', () => {
  it('says what the activity log adds, the telling one of several', async () => {
    const said = await explained(error('azure.operation-failed'), id, doors(async () => [failure('Conflict'), failure('AllocationFailed')]), now)
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
