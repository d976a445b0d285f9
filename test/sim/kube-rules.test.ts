import { expect, test } from 'vitest'
import { virtualClock, type VirtualClock } from '../../src/sim/world/clock.js'
import type { KubeOptions } from '../../src/sim/kube/cluster.js'
import { servedCluster, type KubeAnswer, type ServedCluster } from '../helpers/kube.js'

const second = 1000
const apps = '/apis/apps/v1/namespaces/default'
const core = '/api/v1/namespaces/default'

/** A cluster whose time stands still until the test lets some of it pass. */
async function still(options: Partial<KubeOptions> = {}): Promise<ServedCluster & { clock: VirtualClock }> {
  const clock = virtualClock(Date.parse('2019-02-25T12:40:00-08:00'))
  const served = await servedCluster({ virtual: clock, ...options })
  clock.advance(10 * second)
  return { ...served, clock }
}

const pod = (spec: Record<string, unknown> = {}): Record<string, unknown> => ({
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'web', image: 'web:1' }], ...spec },
})

const workload = (kind: string, spec: Record<string, unknown> = {}): Record<string, unknown> => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name: 'web' },
  spec: { replicas: 2, selector: { matchLabels: { app: 'web' } }, template: pod(), ...spec },
})

const volume = (name: string, spec: Record<string, unknown> = {}): Record<string, unknown> => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name },
  spec: { accessModes: ['ReadWriteMany'], capacity: { storage: '1Gi' }, nfs: { server: '10.240.0.7', path: '/pool0/homes' }, ...spec },
})

const claim = (name: string, spec: Record<string, unknown> = {}): Record<string, unknown> => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name },
  spec: { accessModes: ['ReadWriteMany'], resources: { requests: { storage: '1Gi' } }, ...spec },
})

function statusOf(answer: { body: KubeAnswer }): Record<string, unknown> {
  return answer.body['status'] as Record<string, unknown>
}

test('K2: a dead API server cuts every connection off, those that watch too, and answers nobody', async () => {
  const { call, watch, until, cluster } = await still()
  const { events, ended } = watch('/api/v1/namespaces?watch=true')
  await until(() => events.length === 4)
  cluster.stop()
  expect(await ended).toBe('cut off')
  await expect(call('GET', '/readyz')).rejects.toThrow(/socket hang up|ECONNRESET/)
})

test('K25: an API server that was away comes back with all that it had', async () => {
  const { call, cluster } = await still()
  expect((await call('POST', `${core}/configmaps`, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kept' } })).status).toBe(201)
  cluster.goAway()
  await expect(call('GET', `${core}/configmaps/kept`)).rejects.toThrow(/socket hang up|ECONNRESET/)
  cluster.comeBack()
  expect((await call('GET', `${core}/configmaps/kept`)).status).toBe(200)
})

test('K4: what a chart gets wrong is refused with every finding', async () => {
  const { call } = await still()
  const refused = await call('POST', `${apps}/deployments`, workload('Deployment', {
    selector: { matchLabels: { app: 'other' } },
    template: pod({ containers: [{ name: 'web', volumeMounts: [{ name: 'nowhere', mountPath: '/x' }] }] }),
  }))
  expect(refused.status).toBe(422)
  expect(refused.body.message).toContain('`selector` does not match template `labels`')
  expect(refused.body.message).toContain('spec.template.spec.containers[0].image: Required value')
  expect(refused.body.message).toContain('volumeMounts[0].name: Not found: "nowhere"')
})

test.each([
  ['the NFS server of a volume', '/api/v1/persistentvolumes', volume('v'), { nfs: { server: '10.240.0.8' } }],
  ['the path of a volume', '/api/v1/persistentvolumes', volume('v'), { nfs: { path: '/elsewhere' } }],
  ['the selector of a Deployment', `${apps}/deployments`, workload('Deployment'), { selector: { matchLabels: { more: 'x' } } }],
  ['the service of a StatefulSet', `${apps}/statefulsets`, workload('StatefulSet'), { serviceName: 'other' }],
  ['the class of a claim', `${core}/persistentvolumeclaims`, claim('v'), { storageClassName: '' }],
  ['the pods of a Job', '/apis/batch/v1/namespaces/default/jobs', {
    apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'v' }, spec: { template: pod({ restartPolicy: 'Never' }) },
  }, { template: { spec: { containers: [{ name: 'web', image: 'web:2' }] } } }],
])('K5: %s cannot be edited', async (_what, path, object, spec) => {
  const { call } = await still()
  const name = (object['metadata'] as { name: string }).name
  expect((await call('POST', path, object)).status).toBe(201)
  const refused = await call('PATCH', `${path}/${name}`, { spec })
  expect(refused).toMatchObject({ status: 422, body: { reason: 'Invalid' } })
  expect(refused.body.message).toMatch(/immutable|forbidden/i)
})

test('K8: right after a change the status is still the old one', async () => {
  const { call, clock } = await still({ readyAfterMs: () => second })
  await call('POST', `${apps}/deployments`, workload('Deployment'))
  clock.advance(10 * second)
  const changed = await call('PATCH', `${apps}/deployments/web`, { spec: { template: { metadata: { annotations: { a: 'b' } } } } })
  // A client that looks at readyReplicas only takes the old pods for the new ones.
  expect(statusOf(changed)).toMatchObject({ readyReplicas: 2, updatedReplicas: 2, observedGeneration: 1 })
  expect(changed.body.metadata?.generation).toBe(2)
  clock.advance(second)
  const seen = await call('GET', `${apps}/deployments/web`)
  expect(statusOf(seen)).toMatchObject({ observedGeneration: 2 })
  expect(statusOf(seen)['updatedReplicas']).not.toBe(2)
})

test('K9: pods are ready after the time that the world says, counted from when they can start', async () => {
  const { call, clock, cluster } = await still({ readyAfterMs: () => 14 * 60 * second })
  await call('POST', `${apps}/deployments`, workload('Deployment', {
    progressDeadlineSeconds: 3600,
    template: pod({ volumes: [{ name: 'c', configMap: { name: 'late' } }] }),
  }))
  const ready = async (): Promise<unknown> => statusOf(await call('GET', `${apps}/deployments/web`))['readyReplicas']
  clock.advance(20 * 60 * second)
  expect(await ready()).toBeUndefined()
  await call('POST', `${core}/configmaps`, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'late' } })
  cluster.poke()
  clock.advance(13.5 * 60 * second)
  expect(await ready()).toBeUndefined()
  clock.advance(60 * second)
  expect(await ready()).toBe(2)
})

test('K10: an export that comes back is found without being told, within ten seconds', async () => {
  let exported = false
  const { call, clock } = await still({ readyAfterMs: () => second, canMountNfs: () => exported })
  const nfs = { volumes: [{ name: 'homes', nfs: { server: '10.240.0.7', path: '/pool0/homes' } }] }
  await call('POST', `${apps}/statefulsets`, workload('StatefulSet', { replicas: 1, template: pod(nfs) }))
  clock.advance(600 * second)
  expect(statusOf(await call('GET', `${core}/pods/web-0`))).toMatchObject({ phase: 'Pending' })
  exported = true
  clock.advance(15 * second)
  expect(statusOf(await call('GET', `${core}/pods/web-0`))).toMatchObject({ phase: 'Running' })
})

test('K11: a pod waits for its Secret, and a pod without its ServiceAccount is not even made', async () => {
  const { call, clock, cluster } = await still({ readyAfterMs: () => second })
  const env = [{ name: 'KEY', valueFrom: { secretKeyRef: { name: 'keys', key: 'k' } } }]
  const template = pod({ serviceAccountName: 'hub', containers: [{ name: 'web', image: 'web', env }] })
  await call('POST', `${apps}/deployments`, workload('Deployment', { replicas: 1, template }))
  clock.advance(60 * second)
  expect(cluster.objects('Pod')).toEqual([])
  await call('POST', `${core}/serviceaccounts`, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'hub' } })
  clock.advance(60 * second)
  expect(cluster.objects('Pod')).toMatchObject([{ status: { phase: 'Pending' } }])
  await call('POST', `${core}/secrets`, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'keys' }, stringData: { k: 'v' } })
  clock.advance(60 * second)
  expect(cluster.objects('Pod')).toMatchObject([{ status: { phase: 'Running' } }])
})

test('K12: a claim that names no class gets no static volume; of class "" it does', async () => {
  const { call, clock } = await still()
  await call('POST', '/api/v1/persistentvolumes', volume('homes'))
  await call('POST', `${core}/persistentvolumeclaims`, claim('naive'))
  clock.advance(60 * second)
  expect(statusOf(await call('GET', `${core}/persistentvolumeclaims/naive`))).toMatchObject({ phase: 'Pending' })
  await call('POST', `${core}/persistentvolumeclaims`, claim('static', { storageClassName: '' }))
  clock.advance(second)
  expect(statusOf(await call('GET', `${core}/persistentvolumeclaims/static`))).toMatchObject({ phase: 'Bound' })
})

test('K12: of the default class a claim gets a new, empty disk, once a pod wants it', async () => {
  const { call, clock, cluster } = await still({ readyAfterMs: () => second })
  await call('POST', `${core}/persistentvolumeclaims`, claim('db', { accessModes: ['ReadWriteOnce'] }))
  clock.advance(60 * second)
  expect(cluster.objects('PersistentVolume')).toEqual([])
  const template = pod({ volumes: [{ name: 'db', persistentVolumeClaim: { claimName: 'db' } }] })
  await call('POST', `${apps}/deployments`, workload('Deployment', { replicas: 1, template }))
  clock.advance(60 * second)
  expect(cluster.objects('PersistentVolume')).toMatchObject([{ spec: { csi: { driver: 'disk.csi.azure.com' } }, status: { phase: 'Bound' } }])
})

test('K13: a volume whose claim was deleted is kept, and no claim gets it again', async () => {
  const { call, clock } = await still()
  await call('POST', '/api/v1/persistentvolumes', volume('homes'))
  const one = claim('homes', { storageClassName: '' })
  await call('POST', `${core}/persistentvolumeclaims`, one)
  clock.advance(second)
  await call('DELETE', `${core}/persistentvolumeclaims/homes`)
  clock.advance(second)
  expect(statusOf(await call('GET', '/api/v1/persistentvolumes/homes'))).toMatchObject({ phase: 'Released' })
  await call('POST', `${core}/persistentvolumeclaims`, one)
  clock.advance(60 * second)
  expect(statusOf(await call('GET', `${core}/persistentvolumeclaims/homes`))).toMatchObject({ phase: 'Pending' })
})

test('K14: a load balancer’s address appears after its time, and stays', async () => {
  const { call, clock, cluster } = await still({ loadBalancer: () => ({ address: '52.183.60.9', afterMs: 30 * second }) })
  const spec = { type: 'LoadBalancer', selector: { app: 'web' }, ports: [{ port: 80 }] }
  const made = await call('POST', `${core}/services`, { apiVersion: 'v1', kind: 'Service', metadata: { name: 'public' }, spec })
  expect(made.body['spec']).toMatchObject({ clusterIP: expect.stringMatching(/^10\.0\./) as unknown })
  clock.advance(29 * second)
  expect(cluster.services()).toEqual([{ namespace: 'default', name: 'public', ready: false, labels: {} }])
  clock.advance(2 * second)
  expect(cluster.services()[0]?.address).toBe('52.183.60.9')
  await call('PATCH', `${core}/services/public`, { spec: { ports: [{ port: 443 }] } })
  clock.advance(second)
  expect(cluster.services()[0]?.address).toBe('52.183.60.9')
})

test('K24: a Service whose address is refused has none, says why, and asks again later and later', async () => {
  let asked = 0
  let free = false
  const given: string[] = []
  const { call, clock, cluster } = await still({
    loadBalancer: ({ annotations }) => {
      asked += 1
      return free ? { address: annotations['ip'] ?? '', afterMs: 0 } : { refused: 'it is held' }
    },
    releaseAddress: (uid) => given.push(uid),
  })
  const spec = { type: 'LoadBalancer', selector: { app: 'web' }, ports: [{ port: 80 }] }
  const made = await call('POST', `${core}/services`, { apiVersion: 'v1', kind: 'Service', metadata: { name: 'public', annotations: { ip: '52.183.60.9' } }, spec })
  clock.advance(12 * 60 * second)
  // After 0, 5, 15, 35, 75, 155, 315 and 615 s.
  expect(asked).toBe(8)
  expect(cluster.objects('Event').map((one) => [one['reason'], one['message']])).toContainEqual(['SyncLoadBalancerFailed', 'it is held'])
  free = true
  clock.advance(60 * second)
  expect(cluster.services()[0]?.address).toBeUndefined()
  clock.advance(4 * 60 * second)
  expect(cluster.services()[0]?.address).toBe('52.183.60.9')
  await call('DELETE', `${core}/services/public`)
  clock.advance(second)
  expect(given).toEqual([(made.body['metadata'] as { uid: string }).uid])
})

test('A92: a load balancer that is refused says why in an event, and is tried again after a while', async () => {
  let asked = 0
  let refused = true
  const loadBalancer = () => {
    asked += 1
    return refused ? { refused: 'Error syncing load balancer: 403' } : { address: '52.183.60.9', afterMs: 10 * second }
  }
  const { call, clock, cluster } = await still({ loadBalancer })
  const spec = { type: 'LoadBalancer', selector: { app: 'web' }, ports: [{ port: 80 }] }
  await call('POST', `${core}/services`, { apiVersion: 'v1', kind: 'Service', metadata: { name: 'public' }, spec })
  // 0, 5, 15 and 35 s after it was noticed.
  clock.advance(40 * second)
  expect(asked).toBe(4)
  expect(cluster.objects('Event').map(({ type, reason }) => [type, reason])).toContainEqual(['Warning', 'SyncLoadBalancerFailed'])
  refused = false
  clock.advance(30 * second)
  expect(cluster.services()[0]?.address).toBeUndefined()
  clock.advance(20 * second)
  expect(cluster.services()[0]?.address).toBe('52.183.60.9')
})

test('K16: a rolling update keeps the old pod until the new one is ready; Recreate leaves a gap', async () => {
  const { call, clock, cluster } = await still({ readyAfterMs: () => 30 * second })
  const counts = (): number => cluster.objects('Pod').filter((one) => (one['status'] as { phase: string }).phase === 'Running').length
  for (const strategy of ['RollingUpdate', 'Recreate']) {
    await call('POST', `${apps}/deployments`, workload('Deployment', { replicas: 1, strategy: { type: strategy } }))
    clock.advance(60 * second)
    expect(counts()).toBe(1)
    await call('PATCH', `${apps}/deployments/web`, { spec: { template: { metadata: { annotations: { a: strategy } } } } })
    clock.advance(10 * second)
    expect(counts()).toBe(strategy === 'Recreate' ? 0 : 1)
    clock.advance(60 * second)
    expect(counts()).toBe(1)
    await call('DELETE', `${apps}/deployments/web`)
    clock.advance(60 * second)
  }
})

test('K16: a StatefulSet begins with the first pod and is renewed from the last', async () => {
  const { call, clock, cluster } = await still({ readyAfterMs: () => 30 * second })
  const running = (): string[] =>
    cluster
      .objects('Pod')
      .map((one) => `${one.metadata.name} ${(one['status'] as { phase: string }).phase} ${one.metadata.annotations?.['a'] ?? 'old'}`)
      .sort()
  await call('POST', `${apps}/statefulsets`, workload('StatefulSet'))
  clock.advance(20 * second)
  expect(running()).toEqual(['web-0 Pending old'])
  clock.advance(60 * second)
  expect(running()).toEqual(['web-0 Running old', 'web-1 Running old'])
  await call('PATCH', `${apps}/statefulsets/web`, { spec: { template: { metadata: { annotations: { a: 'new' } } } } })
  clock.advance(10 * second)
  expect(running()).toEqual(['web-0 Running old', 'web-1 Pending new'])
  clock.advance(90 * second)
  expect(running()).toEqual(['web-0 Running new', 'web-1 Running new'])
})

test('K18: a namespace goes with everything in it, but not at once, and takes nothing new meanwhile', async () => {
  const { call, clock } = await still({ readyAfterMs: () => second })
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'hub' } }
  await call('POST', '/api/v1/namespaces', namespace)
  clock.advance(second)
  await call('POST', '/apis/apps/v1/namespaces/hub/deployments', workload('Deployment'))
  await call('POST', '/api/v1/persistentvolumes', volume('homes'))
  clock.advance(60 * second)
  expect(statusOf(await call('DELETE', '/api/v1/namespaces/hub'))).toEqual({ phase: 'Terminating' })
  // A client that takes 200 for gone makes it again, or something in it.
  expect(await call('POST', '/api/v1/namespaces', namespace)).toMatchObject({ status: 409, body: { reason: 'AlreadyExists' } })
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' } }
  expect((await call('POST', '/api/v1/namespaces/hub/configmaps', map)).body.message).toContain('because it is being terminated')
  clock.advance(60 * second)
  expect((await call('GET', '/api/v1/namespaces/hub')).status).toBe(404)
  expect((await call('GET', '/apis/apps/v1/deployments')).body.items).toEqual([])
  expect((await call('GET', '/api/v1/persistentvolumes/homes')).status).toBe(200)
})

test('K19: what is owned goes with its owner, and a claim stays as long as a pod uses it', async () => {
  const { call, clock, cluster } = await still({ readyAfterMs: () => second })
  await call('POST', '/api/v1/persistentvolumes', volume('homes'))
  await call('POST', `${core}/persistentvolumeclaims`, claim('homes', { storageClassName: '' }))
  const template = pod({ volumes: [{ name: 'homes', persistentVolumeClaim: { claimName: 'homes' } }] })
  await call('POST', `${apps}/deployments`, workload('Deployment', { template }))
  clock.advance(60 * second)
  await call('DELETE', `${core}/persistentvolumeclaims/homes`)
  clock.advance(60 * second)
  expect((await call('GET', `${core}/persistentvolumeclaims/homes`)).status).toBe(200)
  await call('DELETE', `${apps}/deployments/web`)
  clock.advance(60 * second)
  expect(cluster.objects('ReplicaSet')).toEqual([])
  expect(cluster.objects('Pod')).toEqual([])
  expect((await call('GET', `${core}/persistentvolumeclaims/homes`)).status).toBe(404)
})

test('K19: what an orphaning deletion leaves is taken over by whoever means it next', async () => {
  const { call, clock, cluster } = await still({ readyAfterMs: () => second })
  const uids = (): unknown[] => cluster.objects('Pod').map(({ metadata }) => metadata.uid)
  await call('POST', `${apps}/deployments`, workload('Deployment'))
  clock.advance(60 * second)
  const before = uids()
  await call('DELETE', `${apps}/deployments/web?propagationPolicy=Orphan`)
  clock.advance(60 * second)
  expect(uids()).toEqual(before)
  await call('POST', `${apps}/deployments`, workload('Deployment'))
  clock.advance(60 * second)
  expect(uids()).toEqual(before)
})

test('K20: a write with an old resource version is a conflict', async () => {
  const { call } = await still()
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' }, data: { a: '1' } }
  const made = await call('POST', `${core}/configmaps`, map)
  await call('PUT', `${core}/configmaps/m`, { ...map, data: { a: '2' } })
  const late = { ...map, metadata: { name: 'm', resourceVersion: made.body.metadata?.resourceVersion }, data: { a: '3' } }
  expect(await call('PUT', `${core}/configmaps/m`, late)).toMatchObject({ status: 409, body: { reason: 'Conflict' } })
})

test('K21: a watch behind a list misses nothing; a WatchList says when it has told what there is', async () => {
  const { call, watch, until } = await still()
  const map = (name: string): unknown => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels: { name } } })
  const { resourceVersion = '' } = (await call('GET', `${core}/configmaps`)).body.metadata ?? {}
  await call('POST', `${core}/configmaps`, map('between'))
  const behind = watch(`${core}/configmaps?watch=true&resourceVersion=${resourceVersion}`)
  await until(() => behind.events.length === 1)
  expect(behind.events).toMatchObject([{ type: 'ADDED', object: { metadata: { name: 'between' } } }])

  const query = 'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&labelSelector=name%3Dbetween'
  const listing = watch(`${core}/configmaps?${query}`)
  await until(() => listing.events.length === 2)
  expect(listing.events[1]).toMatchObject({ type: 'BOOKMARK', object: { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } } })
  await call('POST', `${core}/configmaps`, map('other'))
  await call('PATCH', `${core}/configmaps/between`, { metadata: { labels: { name: 'gone' } } })
  await until(() => listing.events.length === 3)
  // Out of the selection is, for this client, deleted.
  expect(listing.events[2]).toMatchObject({ type: 'DELETED', object: { metadata: { name: 'between' } } })
})

test('K21: a resource version too long ago is gone, and the client must list again', async () => {
  const { call, watch, clock } = await still({ readyAfterMs: () => second })
  const { resourceVersion = '' } = (await call('GET', `${core}/configmaps`)).body.metadata ?? {}
  await call('POST', `${apps}/deployments`, workload('Deployment', { replicas: 300 }))
  clock.advance(600 * second)
  const { events, ended } = watch(`${core}/configmaps?watch=true&resourceVersion=${resourceVersion}`)
  expect(await ended).toBe('ended')
  expect(events).toMatchObject([{ type: 'ERROR', object: { code: 410, reason: 'Expired' } }])
})

test('K22: every request is told with what it was judged to do; a review only asks, a dry run counts as writing', async () => {
  const { call, requests } = await still()
  const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: {} }
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' } }
  await call('GET', `${core}/configmaps`)
  await call('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', review)
  await call('POST', `${core}/configmaps?dryRun=All`, map)
  expect((await call('GET', `${core}/configmaps/m`)).status).toBe(404)
  expect(requests.map(({ method, status, writes }) => [method, status, writes])).toEqual([
    ['GET', 200, false],
    ['POST', 201, false],
    ['POST', 201, true],
    ['GET', 404, false],
  ])
})
