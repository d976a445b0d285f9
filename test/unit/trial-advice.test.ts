import { describe, expect, it } from 'vitest'
import { acceptable, follow } from '../../src/cli/trial/advice.js'
import { defectsIn } from '../../src/gameday/defects.js'

type Parts = Parameters<typeof follow>[1]

describe('what a stop has advised', () => {
  it('is found wherever a terminal has broken it', async () => {
    const deleted: string[] = []
    const parts = {
      world: { spec: { subscription: 's' }, resource: (id: string) => ({ id }) },
      manager: { asSomebodyElse: async ({ path }: { path: string }) => void deleted.push(path) },
    } as unknown as Parts
    const advice = 'Delete first what there is of it (az aks delete\n  --resource-group g\n  --name c), then resume.'
    // Told every minute while it is waited for.
    const done = await follow(`${advice}\n${advice.replaceAll('\n', '')}`, parts)
    expect([done.length, deleted]).toEqual([1, ['/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c']])
    expect(acceptable('or resume --accept\n      fence=deallocate, and again --accept fence=deallocate')).toEqual(['--accept', 'fence=deallocate'])
  })

  it('is no defect of the program, which is told apart by its code', () => {
    expect(defectsIn('error: no\n  error: Invalid time [tool.bug]\nadvice')).toEqual(['error: Invalid time [tool.bug]'])
  })
})
