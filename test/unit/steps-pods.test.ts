import { describe, expect, it } from 'vitest'
import { LifeboatError, type Clock, type JsonObject } from '../../src/contract/index.js'
import type { Platform } from '../../src/platform/platform.js'
import { withPods } from '../../src/steps/parts/pods.js'

type Asking = Parameters<typeof withPods>[2]
const asking = (platform: object): Asking =>
  ({ doors: platform as Platform, clock: { now: () => new Date('2019-02-25T20:10:00Z') } as Clock })
const place = { cluster: '/cluster', namespace: 'hub' }
const inVain = new LifeboatError('helm.timeout', 'helm waited in vain', { hint: 'Look at the pods.' })

interface Given {
  readonly waiting?: string
  readonly restarts?: number
  readonly ready?: boolean
  readonly leaving?: boolean
}

const pod = (name: string, { waiting, restarts = 0, ready = false, leaving = false }: Given = {}): JsonObject => ({
  metadata: { name, namespace: 'hub', uid: `uid of ${name}`, ...(leaving ? { deletionTimestamp: '2019-02-25T20:00:00Z' } : {}) },
  status: {
    phase: 'Pending',
    conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    containerStatuses: [{ ready, restartCount: restarts, state: waiting === undefined ? {} : { waiting: { reason: waiting } } }],
  },
})

const event = (of: string, reason: string, message: string, at = '20:00:00'): JsonObject => ({
  involvedObject: { uid: `uid of ${of}` },
  ...{ reason, message, lastTimestamp: `2019-02-25T${at}Z` },
})

function doors(pods: readonly JsonObject[], events: readonly JsonObject[] = []): Asking {
  return asking({ kube: { list: async (_cluster: string, _namespace: string, kind: string) => (kind === 'pods' ? pods : events) } })
}

const told = async (pods: readonly JsonObject[], events: readonly JsonObject[] = []): Promise<readonly [string, string | undefined]> => {
  const error = (await withPods(inVain, place, doors(pods, events))) as LifeboatError
  return [error.message, error.hint]
}

describe('a helm that has waited in vain', () => {
  it.each([
    ['CrashLoopBackOff', 'BackOff', /CrashLoopBackOff \(started again 4 times\): because/, /kubectl logs hub-1 -n hub --previous/],
    ['ImagePullBackOff', 'Failed', /ImagePullBackOff \(started again 4 times\): because/, /that image and tag exist/],
    ['ContainerCreating', 'FailedMount', /ContainerCreating \(started again 4 times\): because/, /the NFS server is up/],
  ])('says of a pod that it waits in %s, why, and what to do', async (waiting, reason, message, hint) => {
    const [said, mend] = await told([pod('hub-1', { waiting, restarts: 4 })], [event('hub-1', reason, 'because')])
    expect([said, mend]).toEqual([expect.stringMatching(message), expect.stringMatching(hint)])
  })

  it('says of a pod that cannot end, ready or not, that its volumes may keep it', async () => {
    for (const ready of [true, false]) {
      const [said, mend] = await told([pod('hub-1', { leaving: true, ready })])
      expect([said, mend]).toEqual(['helm waited in vain; pod hub-1 is Terminating', expect.stringContaining('look whether the NFS server is up') as string])
    }
  })

  it('says nothing of that while a pod has the time to end that it was given', async () => {
    const leaving = pod('nb-1', { ready: true })
    const pods = [{ ...leaving, metadata: { ...(leaving['metadata'] as object), deletionTimestamp: '2019-02-25T20:10:20Z' } }]
    expect(await told(pods)).toEqual(['helm waited in vain', 'Look at the pods.'])
  })

  it('leaves out pods that are ready, takes the newest event of each, and repeats none whose words nobody knows', async () => {
    const pods = [pod('well', { ready: true }), pod('hub-1', { waiting: 'ContainerCreating' })]
    const events = [
      event('hub-1', 'FailedMount', 'the newest', '20:05:00'),
      event('hub-1', 'FailedMount', 'an old one', '20:01:00'),
      event('hub-1', 'SomeOperator', 'password=…', '20:06:00'),
      event('well', 'FailedMount', 'of another', '20:07:00'),
    ]
    expect((await told(pods, events))[0]).toBe('helm waited in vain; pod hub-1 is ContainerCreating: the newest')
  })

  it('takes of an image that cannot be had why, and not that it is tried again; and of a pod that crashes nothing of its image', async () => {
    const events = [event('hub-1', 'Failed', 'not found', '20:01:00'), event('hub-1', 'BackOff', 'tried again', '20:06:00')]
    const [image] = await told([pod('hub-1', { waiting: 'ImagePullBackOff' })], events)
    const [crash] = await told([pod('hub-1', { waiting: 'CrashLoopBackOff' })], events)
    expect([image, crash].map((said) => said.split(': ').at(-1))).toEqual(['not found', 'tried again'])
  })

  it('knows one that crashes also while it runs once more', async () => {
    const [said, hint] = await told([pod('hub-1', { restarts: 5 })])
    expect([said, hint]).toEqual(['helm waited in vain; pod hub-1 is Pending (started again 5 times)', expect.stringContaining('--previous')])
  })

  it('says of three pods at most, how many more there are, and of one that is going that it is', async () => {
    const [said, hint] = await told(['a', 'b', 'c', 'd', 'e'].map((name) => pod(name, { leaving: name === 'a' })))
    expect([said, hint]).toEqual(['helm waited in vain; pod a is Terminating; pod b is Pending; pod c is Pending; and 2 more', 'Look at the pods.'])
  })

  it('is told as it is where pods cannot be read, and so is every other error', async () => {
    const unread = asking({ kube: { list: () => Promise.reject(new LifeboatError('kube.unreachable', 'no')) } })
    const other = new LifeboatError('helm.chart', 'no')
    expect(await withPods(inVain, place, unread)).toBe(inVain)
    expect(await withPods(inVain, place, doors([pod('well', { ready: true })]))).toBe(inVain)
    expect(await withPods(other, place, doors([pod('hub-1')]))).toBe(other)
  })
})
