import { describe, expect, it, test } from 'vitest'
import { virtualClock } from '../../src/sim/world/clock.js'
import { servedCluster } from '../helpers/kube.js'

const minutes = 60_000

const web = {
  ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' } },
  spec: {
    ...{ replicas: 1, selector: { matchLabels: { app: 'web' } } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'web:1' }] } },
  },
}

test.each([
  ['crashing', 'Running', 'CrashLoopBackOff', 12, 'Back-off restarting failed container web'],
  ['without-image', 'Pending', 'ImagePullBackOff', 0, 'Back-off pulling image "web:1"'],
] as const)('K26: pods that are %s never get ready however long one waits, and their events say why; mended, they do', async (is, phase, reason, restartCount, message) => {
  let trouble: typeof is | undefined = is
  const clock = virtualClock(Date.parse('2019-02-25T12:40:00-08:00'))
  const { call, cluster } = await servedCluster({ virtual: clock, podTrouble: ({ name }) => (name === 'web' ? trouble : undefined) })
  const status = async (): Promise<unknown> => (await call('GET', '/apis/apps/v1/namespaces/default/deployments/web')).body['status']
  clock.advance(minutes)
  await call('POST', '/apis/apps/v1/namespaces/default/deployments', web)
  clock.advance(61 * minutes)
  expect(cluster.objects('Pod')).toMatchObject([{ status: { phase, containerStatuses: [{ ready: false, restartCount, state: { waiting: { reason } } }] } }])
  // Who looks at the Deployment only does not learn it.
  expect(JSON.stringify(await status())).not.toContain(reason)
  expect(cluster.objects('Event').map((event) => event['message'])).toContainEqual(expect.stringContaining(message) as unknown)
  trouble = undefined
  clock.advance(2 * minutes)
  expect(cluster.objects('Pod')).toMatchObject([{ status: { phase: 'Running', containerStatuses: [{ ready: true }] } }])
  expect(await status()).toMatchObject({ readyReplicas: 1 })
})

describe('K28: a pod that is deleted while its NFS server does not answer', () => {
  const pods = '/api/v1/namespaces/default/pods'
  const homes = { name: 'homes', nfs: { server: '10.240.0.7', path: '/pool0/homes' } }
  const podWith = (spec: object = {}) =>
    ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'hub' }, spec: { containers: [{ name: 'hub', image: 'hub' }], volumes: [homes], ...spec } })

  /** A pod that has been there for a while; then the server falls silent. */
  async function silenced(pod: object, mountable = true, mountOptions: readonly string[] = []) {
    const state = { answers: true }
    const clock = virtualClock(Date.parse('2019-02-25T12:40:00-08:00'))
    const { call, cluster } = await servedCluster({ virtual: clock, canMountNfs: () => mountable, answersNfs: () => state.answers })
    clock.advance(minutes)
    const shared = { accessModes: ['ReadWriteMany'], storageClassName: '' }
    const volume = { ...shared, capacity: { storage: '1Gi' }, nfs: homes.nfs, mountOptions }
    const claim = { ...shared, volumeName: 'homes', resources: { requests: { storage: '1Gi' } } }
    await call('POST', '/api/v1/persistentvolumes', { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'homes' }, spec: volume })
    await call('POST', pods.replace('pods', 'persistentvolumeclaims'), { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'homes' }, spec: claim })
    clock.advance(minutes)
    await call('POST', pods, pod)
    clock.advance(5 * minutes)
    state.answers = false
    return { call, cluster, clock, state, left: () => cluster.objects('Pod').map(({ metadata }) => metadata.deletionTimestamp !== undefined) }
  }

  it('stays until the server is back, and ends then without being told', async () => {
    const { call, clock, left, state } = await silenced(podWith())
    await call('DELETE', `${pods}/hub`)
    clock.advance(60 * minutes)
    expect(left()).toEqual([true])
    state.answers = true
    clock.advance(11_000)
    expect(left()).toEqual([])
  })

  it('stays three minutes where its volume is mounted soft', async () => {
    const claimed = podWith({ volumes: [{ name: 'homes', persistentVolumeClaim: { claimName: 'homes' } }] })
    const { call, clock, left } = await silenced(claimed, true, ['soft', 'vers=4.2'])
    await call('DELETE', `${pods}/hub`)
    clock.advance(170_000)
    expect(left()).toEqual([true])
    clock.advance(25_000)
    expect(left()).toEqual([])
  })

  it('goes at once where nobody waits for it: at first, or later', async () => {
    const { call, clock, left } = await silenced(podWith())
    await call('DELETE', `${pods}/hub`)
    clock.advance(minutes)
    expect(left()).toEqual([true])
    await call('DELETE', `${pods}/hub?gracePeriodSeconds=0`)
    expect(left()).toEqual([])
  })

  it.each([
    ['had nothing of it mounted yet', podWith(), false],
    ['mounts nothing of it', podWith({ volumes: [] }), true],
    ['has ended by itself', podWith({ restartPolicy: 'Never' }), true],
  ])('ends as ever where it %s', async (_, pod, mountable) => {
    const { call, clock, left } = await silenced(pod, mountable)
    await call('DELETE', `${pods}/hub`)
    clock.advance(5000)
    expect(left()).toEqual([])
  })
})
