import { expect, it } from 'vitest'
import { LifeboatError, type ApplyContext, type JsonObject } from '../../src/contract/index.js'
import type { Platform } from '../../src/platform/platform.js'
import { untilTheyGetOn } from '../../src/steps/parts/deadline.js'

const place = { cluster: '/cluster', namespace: 'hub', name: 'hub' }
const early = new LifeboatError('helm.deadline', 'helm gave up', { hint: 'Raise it.' })
const minute = 60_000

const deployment = (name: string, reason: string, release = 'hub'): JsonObject => ({
  metadata: { name, annotations: { 'meta.helm.sh/release-name': release, 'meta.helm.sh/release-namespace': 'hub' } },
  status: { conditions: [{ type: 'Available' }, { type: 'Progressing', reason }] },
})
const late = deployment('hub', 'ProgressDeadlineExceeded')
const well = deployment('hub', 'NewReplicaSetAvailable')
const proxy = deployment('proxy', 'ReplicaSetUpdated')

/** What each look finds, the last one again and again, by a clock that passes only in sleep. */
function waiting(...looks: readonly (readonly JsonObject[] | Error)[]) {
  const pods: JsonObject[] = []
  let nowMs = 0
  let look = 0
  const told: string[] = []
  const over = new AbortController()
  const ctx = {
    clock: {
      now: () => new Date(nowMs),
      sleep: async (ms: number, signal: AbortSignal) => {
        signal.throwIfAborted()
        nowMs += ms
      },
    },
    signal: over.signal,
    progress: (message: string) => void told.push(message),
    doors: {
      kube: {
        list: async (_cluster: string, _namespace: string, kind: string) => {
          if (kind !== 'deployments') return kind === 'pods' ? pods : []
          const found = looks[Math.min(look, looks.length - 1)] ?? []
          look += 1
          if (found instanceof Error) throw found
          return found
        },
      },
    },
  } as unknown as ApplyContext<Platform>
  return { ctx, told, over, pods, elapsed: () => nowMs }
}

it('a deployment that is late is waited for, and what helm said of it is to be tried again once it gets on', async () => {
  const { ctx, told, elapsed } = waiting([late, proxy], [late, proxy], [well, proxy])
  const error = await untilTheyGetOn(early, place, 20 * minute, ctx)
  expect(error).toMatchObject({ code: 'helm.deadline', message: 'helm gave up; it gets on now', hint: 'Raise it.', retry: {} })
  expect(elapsed()).toBe(30_000)
  expect(told).toEqual([
    'helm has given up early; waiting 20 min more for the pods: deployment hub has passed the progress deadline',
    'helm has given up early; waiting 20 min more for the pods: deployment hub has passed the progress deadline',
  ])
})

it('where patience ends first, it is the error that helm made', async () => {
  const { ctx, elapsed } = waiting([late])
  expect(await untilTheyGetOn(early, place, 5 * minute, ctx)).toBe(early)
  expect(elapsed()).toBe(5 * minute)
})

it('a cluster that does not answer is asked again: nothing is known of its deployments meanwhile', async () => {
  const { ctx, told } = waiting(new LifeboatError('kube.unreachable', 'gone', { retry: {} }), [well])
  expect(await untilTheyGetOn(early, place, 5 * minute, ctx)).toMatchObject({ retry: {} })
  expect(told).toEqual(['helm has given up early; waiting 5 min more for the pods: the cluster does not say how its deployments are'])
})

it('any other error is nothing to wait for, and whoever stops the run is not kept', async () => {
  const other = new LifeboatError('helm.timeout', 'in vain')
  const { ctx, over, told } = waiting([late])
  expect(await untilTheyGetOn(other, place, 5 * minute, ctx)).toBe(other)
  expect(told).toEqual([])
  over.abort(new Error('stopped'))
  await expect(untilTheyGetOn(early, place, 5 * minute, ctx)).rejects.toThrow('stopped')
})

it('a bug is not taken for silence', async () => {
  const { ctx } = waiting(new TypeError('oops'))
  await expect(untilTheyGetOn(early, place, minute, ctx)).rejects.toThrow('oops')
})

const pod = (name: string, reason: string): JsonObject => ({
  metadata: { name, namespace: 'hub', uid: name },
  status: { phase: 'Pending', containerStatuses: [{ ready: false, restartCount: 0, state: { waiting: { reason } } }] },
})

it('says what pods wait for; one that crashes, or whose image cannot be had, is nothing to wait for', async () => {
  const slow = waiting([late], [well])
  slow.pods.push(pod('hub-1', 'ContainerCreating'))
  await untilTheyGetOn(early, place, 5 * minute, slow.ctx)
  expect(slow.told[0]).toContain('for the pods: deployment hub has passed the progress deadline; pod hub-1 is ContainerCreating')
  for (const reason of ['CrashLoopBackOff', 'ImagePullBackOff']) {
    const hopeless = waiting([late])
    hopeless.pods.push(pod('hub-1', reason))
    expect(await untilTheyGetOn(early, place, 5 * minute, hopeless.ctx)).toBe(early)
    expect(hopeless.elapsed()).toBe(0)
  }
})

it('pods and deployments of others in that namespace are nothing that helm waits for', async () => {
  const { ctx, pods, elapsed } = waiting([late, deployment('other', 'ProgressDeadlineExceeded', 'other')], [well, deployment('other', 'ProgressDeadlineExceeded', 'other')])
  pods.push(pod('jupyter-somebody', 'CrashLoopBackOff'))
  expect(await untilTheyGetOn(early, place, 5 * minute, ctx)).toMatchObject({ retry: {} })
  expect(elapsed()).toBe(15_000)
})

it('a cluster that lets nobody look is not waited for', async () => {
  const { ctx, elapsed } = waiting(new LifeboatError('kube.denied', 'no', { blame: 'user' }))
  expect(await untilTheyGetOn(early, place, 5 * minute, ctx)).toBe(early)
  expect(elapsed()).toBe(0)
})
