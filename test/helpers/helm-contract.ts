import { join } from 'node:path'
import { expect, it } from 'vitest'
import { LifeboatError } from '../../src/contract/index.js'
import type { HelmDoor } from '../../src/platform/helm/door.js'
import type { KubeDoor } from '../../src/platform/kube/door.js'
import type { KubeCluster, KubeObject } from '../../src/sim/kube/cluster.js'
import { root, temporaryFolder } from './cli.js'
import { RecordedChildren } from './doors.js'
import { homesVolume, versionedImage, webDeployment, webWithHomes, writeChart } from './kube.js'
import { cluster, clusterToken } from './kube-server.js'

/** helm and kubectl on a Kubernetes API: the real ones over sockets, or the models in this process. */
export interface HelmUnderTest {
  readonly kube: KubeCluster
  /** What the API was asked, without what only the real ones ask (discovery, schemas). */
  readonly asked: () => readonly { readonly method: string; readonly path: string; readonly writes: boolean }[]
  readonly doors: (children?: RecordedChildren, leastRealMs?: number) => { readonly helm: HelmDoor; readonly kube: KubeDoor }
  readonly settled: <T>(work: Promise<T>) => Promise<T>
  readonly until: (holds: () => boolean) => Promise<void>
  /** While it is false, pods that need homes do not start. */
  readonly setMountable: (mountable: boolean) => void
  readonly setToken: (token: string) => void
  /** What the clock says of the machine where helm runs. */
  readonly now: () => Date
  /** Nobody answers at the API server's address any more. */
  readonly down: () => void
  readonly signal: (pid: number, signal: 'SIGTERM' | 'SIGKILL') => void
}

const name = { cluster, namespace: 'data100-staging', name: 'data100-staging' }
const path = join(root, 'fixtures/charts/hub')
const values = { hub: { host: 'data100s.example.edu' }, nfs: { server: '10.240.0.7', path: '/pool0/homes/staging/home' } }
const hub = { chart: path, values }
const wish = (change: object = {}) => ({ timeoutMs: 60_000, signal: new AbortController().signal, description: 'lifeboat one', ...change })

const web = (spec = ''): string => webDeployment({ image: versionedImage, spec })
const chartOf = (templates: Readonly<Record<string, string>>, chartValues = '') => ({ chart: writeChart(temporaryFolder(), 'web', templates, chartValues) })
const hook = (spec = '', event = 'pre-install'): string => `
apiVersion: batch/v1
kind: Job
metadata: { name: prepare, annotations: { "helm.sh/hook": ${event}, "helm.sh/hook-delete-policy": hook-succeeded } }
spec:
${spec}
  template:
    spec: { restartPolicy: Never, containers: [{ name: prepare, image: prepare }] }
`

/** What the doors make of helm and kubectl, whichever they are. */
export function itKeepsReleases(under: () => HelmUnderTest): void {
  const failure = (promise: Promise<unknown>): Promise<LifeboatError> =>
    under().settled(
      promise.then(
        () => new LifeboatError('none', ''),
        (error: unknown) => (error instanceof LifeboatError ? error : new LifeboatError('unexpected', String(error))),
      ),
    )
  const statuses = async (): Promise<string[]> => (await under().settled(under().doors().helm.history(name))).map(({ status }) => status)
  const isNow = (status: string): Promise<void> =>
    under().until(() => under().kube.releases().some((one) => one.name === name.name && one.status === status))
  const upgrade = (chart: Parameters<HelmDoor['upgrade']>[1], change: object = {}) => under().settled(under().doors().helm.upgrade(name, chart, wish(change)))
  /** helm is at work on a release and waits for pods that do not come. */
  const begun = async (chart: Parameters<HelmDoor['upgrade']>[1], status: string) => {
    const children = new RecordedChildren()
    const ended = under().doors(children).helm.upgrade(name, chart, wish()).then(() => 'none', (error: unknown) => (error as LifeboatError).code)
    await isNow(status)
    await under().until(() => under().kube.objects('Deployment').some(({ metadata }) => metadata.name === 'hub'))
    return { pid: children.startedOnes[0]!.pid, ended }
  }

  it('installs, tells its history, upgrades, rolls back and uninstalls', async () => {
    const { doors, settled, kube } = under()
    const children = new RecordedChildren()
    const { helm, kube: kubectl } = doors(children)
    expect(await settled(helm.history(name))).toEqual([])
    await settled(helm.upgrade(name, hub, wish()))
    expect(await settled(helm.history(name))).toEqual([
      { revision: 1, status: 'deployed', chart: 'hub-0.1.0', description: 'lifeboat one', begunAt: expect.any(Date) as Date },
    ])
    expect(await settled(helm.values(name))).toEqual(values)
    expect(await settled(kubectl.get(cluster, name.namespace, 'service', 'proxy-public'))).toMatchObject({ kind: 'Service' })
    expect(await settled(kubectl.get(cluster, name.namespace, 'service', 'no-such'))).toBeUndefined()
    expect((await settled(kubectl.list(cluster, name.namespace, 'deployments'))).length).toBe(2)

    await settled(helm.upgrade(name, { ...hub, set: { 'hub.image': 'quay.io/example/hub:2' } }, wish({ description: 'lifeboat two' })))
    await settled(helm.rollback(name, 1, wish()))
    const history = await settled(helm.history(name))
    expect(history.map(({ status, description }) => [status, description])).toEqual([
      ['superseded', 'lifeboat one'], ['superseded', 'lifeboat two'], ['deployed', 'Rollback to 1'],
    ])
    expect(JSON.stringify(kube.objects('Deployment'))).not.toContain('example/hub:2')
    await settled(helm.uninstall(name, wish()))
    expect(await settled(helm.history(name))).toEqual([])
    expect(kube.objects('Deployment').filter(({ metadata }) => metadata.namespace === name.namespace)).toEqual([])
    await settled(helm.uninstall(name, wish()))
    expect(children.startedOnes.map(({ survivor }) => survivor)).toEqual(['end', 'end', 'await', 'await', 'await'])
    expect(children.startedOnes[0]?.command).toBe(`helm upgrade --install ${name.name} ${path} --create-namespace --values … --description lifeboat one --wait --timeout 60s -n ${name.namespace}`)
  })

  it('names what is not ready when it waited in vain, and the release is failed then', async () => {
    const { setMountable, doors } = under()
    setMountable(false)
    const error = await failure(doors(undefined, 3000).helm.upgrade(name, hub, wish({ timeoutMs: 1000 })))
    expect(error.code).toBe('helm.timeout')
    expect(error.message).toMatch(/Deployment\/data100-staging\/hub not ready/)
    expect((await failure(doors(undefined, 3000).helm.upgrade(name, hub, wish({ timeoutMs: 1000 })))).code).toBe('helm.timeout')
    expect(await statuses()).toEqual(['failed', 'failed'])
    setMountable(true)
    await upgrade(hub)
    expect(await statuses()).toEqual(['failed', 'superseded', 'deployed'])
  })

  it('killed in an install leaves it pending; without that record it goes on, and adopts what is there (K7)', async () => {
    const { setMountable, signal, settled, doors, kube } = under()
    setMountable(false)
    const { pid, ended } = await begun(hub, 'pending-install')
    await under().until(() => kube.objects('Pod').some(({ metadata }) => metadata.namespace === name.namespace))
    const pods = kube.objects('Pod').filter(({ metadata }) => metadata.namespace === name.namespace).map(({ metadata }) => metadata.uid)
    signal(pid, 'SIGKILL')
    expect(await settled(ended)).toBe('exec.killed')
    expect((await failure(doors().helm.upgrade(name, hub, wish()))).code).toBe('helm.pending')
    await settled(doors().kube.delete(cluster, name.namespace, 'secret', `sh.helm.release.v1.${name.name}.v1`))
    setMountable(true)
    await upgrade(hub)
    expect(await statuses()).toEqual(['deployed'])
    expect(kube.objects('Pod').map(({ metadata }) => metadata.uid)).toEqual(expect.arrayContaining(pods))
  })

  it('that is at work tells since when, and does not know of whoever takes its record away: both write (K27)', async () => {
    const { setMountable, settled, doors, now, kube } = under()
    await upgrade(hub)
    setMountable(false)
    const before = now().getTime()
    const elsewhere = await begun({ ...hub, set: { 'hub.image': 'quay.io/example/hub:2' } }, 'pending-upgrade')
    const newest = (await settled(doors().helm.history(name))).at(-1)
    expect([newest!.begunAt!.getTime() >= before, newest!.begunAt!.getTime() <= now().getTime()]).toEqual([true, true])
    // The naive client: it takes whoever was at work for gone.
    await settled(doors().kube.delete(cluster, name.namespace, 'secret', `sh.helm.release.v1.${name.name}.v2`))
    const naive = upgrade({ ...hub, set: { 'hub.image': 'quay.io/example/hub:3' } }).then(() => 'none', (error: unknown) => (error as LifeboatError).code)
    await under().until(() => JSON.stringify(kube.objects('Deployment')).includes('example/hub:3'))
    setMountable(true)
    // Each writes its end into the same record, and believes that it has done it.
    expect([await settled(elsewhere.ended), await settled(naive)]).toEqual(['none', 'none'])
    expect(await statuses()).toEqual(['superseded', 'deployed'])
  })

  it('told to end in an install leaves it failed, and the next one works (K7)', async () => {
    const { setMountable, signal, settled } = under()
    setMountable(false)
    const { pid, ended } = await begun(hub, 'pending-install')
    signal(pid, 'SIGTERM')
    expect(await settled(ended)).toBe('helm.failed')
    expect(await statuses()).toEqual(['failed'])
    setMountable(true)
    await upgrade(hub)
    expect(await statuses()).toEqual(['superseded', 'deployed'])
  })

  it('stopped by the run ends by itself, and the release is failed', async () => {
    const { setMountable, doors, settled } = under()
    setMountable(false)
    const stop = new AbortController()
    const stopped = doors().helm.upgrade(name, hub, wish({ signal: stop.signal })).then(() => 'none', (error: unknown) => (error as LifeboatError).code)
    await isNow('pending-install')
    stop.abort(new LifeboatError('run.stopped', 'stopped'))
    expect(await settled(stopped)).toBe('run.stopped')
    expect(await statuses()).toEqual(['failed'])
  })

  it('killed in an upgrade leaves it pending, from which a rollback leads out; told to end it does not listen (K7)', async () => {
    const { setMountable, signal, settled, doors } = under()
    await upgrade(hub)
    setMountable(false)
    const { pid, ended } = await begun({ ...hub, set: { 'hub.image': 'quay.io/example/hub:2' } }, 'pending-upgrade')
    signal(pid, 'SIGKILL')
    expect(await settled(ended)).toBe('exec.killed')
    expect((await failure(doors().helm.upgrade(name, hub, wish()))).code).toBe('helm.pending')
    const children = new RecordedChildren()
    const rolling = doors(children).helm.rollback(name, 1, wish()).then(() => 'none', (error: unknown) => (error as LifeboatError).code)
    await isNow('pending-rollback')
    signal(children.startedOnes[0]!.pid, 'SIGTERM')
    expect(await settled(rolling)).toBe('exec.killed')
    expect(await statuses()).toEqual(['deployed', 'pending-upgrade', 'pending-rollback'])
    setMountable(true)
    await settled(doors().helm.rollback(name, 1, wish()))
    expect(await statuses()).toEqual(['superseded', 'pending-upgrade', 'pending-rollback', 'deployed'])
  })

  it('a rollback that does not wait is done at once, and one that waits in vain has failed', async () => {
    const { setMountable, settled, doors } = under()
    await upgrade(hub)
    await upgrade({ ...hub, set: { 'hub.image': 'quay.io/example/hub:2' } })
    setMountable(false)
    expect((await failure(doors(undefined, 2000).helm.rollback(name, 1, wish({ timeoutMs: 1000 })))).code).toBe('helm.timeout')
    expect(await statuses()).toEqual(['superseded', 'deployed', 'failed'])
    await settled(doors().helm.rollback(name, 1, wish({ wait: false })))
    expect(await statuses()).toEqual(['superseded', 'superseded', 'failed', 'deployed'])
    expect((await failure(doors().helm.rollback(name, 99, wish()))).message).toContain('release has no 99 version')
  })

  it('a rollback that Kubernetes refuses has failed, and what it was to replace counts as superseded', async () => {
    const { kube, doors } = under()
    const chart = chartOf({ 'web.yaml': web('  replicas: {{ .Values.replicas }}') }, 'replicas: 1\n')
    await upgrade(chart)
    await upgrade({ ...chart, set: { replicas: '2' } })
    scale(kube, 3)
    expect((await failure(doors().helm.rollback(name, 1, wish()))).code).toBe('helm.conflict')
    expect(await statuses()).toEqual(['superseded', 'superseded', 'failed'])
    const [, , refused] = await under().settled(doors().helm.history(name))
    expect(refused?.description).toMatch(/^Rollback "data100-staging" failed: .*conflict/s)
  })

  it('a rollback whose hook fails stays pending, and is let through without its hooks', async () => {
    const chart = chartOf({ 'web.yaml': web('  replicas: {{ .Values.replicas }}'), 'hook.yaml': hook('  activeDeadlineSeconds: 1', 'pre-rollback') }, 'replicas: 1\n')
    await upgrade(chart)
    await upgrade({ ...chart, set: { replicas: '2' } })
    // Unlike an upgrade, it does not say that it was a hook.
    const hooked = await failure(under().doors().helm.rollback(name, 1, wish()))
    expect(hooked.message).toMatch(/resource Job\/data100-staging\/prepare not ready. status: Failed/)
    expect(await statuses()).toEqual(['superseded', 'deployed', 'pending-rollback'])
    await under().settled(under().doors().helm.rollback(name, 1, wish({ wait: false })))
    expect(await statuses()).toEqual(['superseded', 'superseded', 'pending-rollback', 'deployed'])
  })

  it('an uninstall that is told to end leaves it uninstalling, and has to be run again', async () => {
    const { signal, settled, doors, now } = under()
    await upgrade(hub)
    const installed = now().getTime()
    await under().until(() => now().getTime() > installed)
    const before = now().getTime()
    const children = new RecordedChildren()
    const going = doors(children).helm.uninstall(name, wish()).then(() => 'none', (error: unknown) => (error as LifeboatError).code)
    await isNow('uninstalling')
    signal(children.startedOnes[0]!.pid, 'SIGTERM')
    expect(await settled(going)).toBe('exec.killed')
    const [left] = await settled(doors().helm.history(name))
    expect([left?.status, left!.begunAt!.getTime() >= before], 'not since what goes was installed (K27)').toEqual(['uninstalling', true])
    expect((await failure(doors().helm.upgrade(name, hub, wish()))).message).toContain('has no deployed releases')
    await settled(doors().helm.uninstall(name, wish()))
    expect(await statuses()).toEqual([])
  })

  it('runs hooks to their end before anything else is made; after a failed install they are not run again (K17)', async () => {
    await upgrade(chartOf({ 'web.yaml': web(), 'hook.yaml': hook() }))
    const writes = under().asked().filter((one) => one.writes && !one.path.includes('secrets')).map(({ method, path: asked }) => `${method} ${asked}`)
    const removed = writes.lastIndexOf(`DELETE /apis/batch/v1/namespaces/${name.namespace}/jobs/prepare`)
    expect(removed).toBeGreaterThan(0)
    expect(writes.indexOf(`PATCH /apis/apps/v1/namespaces/${name.namespace}/deployments/web`)).toBeGreaterThan(removed)
  })

  it('a hook that fails is named, and the release has failed', async () => {
    const chart = chartOf({ 'web.yaml': web(), 'hook.yaml': hook('  activeDeadlineSeconds: 1', 'pre-install') })
    const error = await failure(under().doors().helm.upgrade(name, chart, wish()))
    expect(error).toMatchObject({ code: 'helm.hook', message: expect.stringContaining(`Job/${name.namespace}/prepare not ready. status: Failed`) as string })
    expect(await statuses()).toEqual(['failed'])
    expect(under().kube.objects('Deployment').filter(({ metadata }) => metadata.name === 'web')).toEqual([])
    await upgrade(chart)
    expect(await statuses()).toEqual(['superseded', 'deployed'])
  })

  it('a field that Kubernetes does not know is refused by name (K3)', async () => {
    const error = await failure(under().doors().helm.upgrade(name, chartOf({ 'web.yaml': web('  replica: 1') }), wish()))
    expect(error).toMatchObject({ code: 'helm.object', message: expect.stringContaining('.spec.replica: field not declared in schema') as string })
    expect(await statuses()).toEqual(['failed'])
  })

  it('what cannot be changed, and what somebody else has changed, is left as it is (K5, K6)', async () => {
    const { kube, settled, doors } = under()
    const chart = chartOf({ 'homes.yaml': homesVolume, 'web.yaml': web('  replicas: 1') }, 'server: 10.240.0.7\n')
    await upgrade(chart)
    const moved = await failure(doors().helm.upgrade(name, { ...chart, set: { server: '10.240.0.8' } }, wish()))
    expect(moved).toMatchObject({ code: 'helm.immutable', message: expect.stringContaining('spec.persistentvolumesource is immutable after creation') as string })
    expect(kube.objects('PersistentVolume')).toMatchObject([{ spec: { nfs: { server: '10.240.0.7' } } }])
    scale(kube, 3)
    const refused = await failure(doors().helm.upgrade(name, chart, wish()))
    expect(refused).toMatchObject({ code: 'helm.conflict', message: expect.stringMatching(/conflict occurred while applying object.*conflict with "kubectl".*\.spec\.replicas/s) as string })
    expect(await statuses()).toEqual(['deployed', 'failed', 'failed'])
    scale(kube, 1)
    await settled(doors().helm.uninstall(name, wish()))
  })

  it('an object of another release, or of none, is not taken over', async () => {
    const { doors, settled } = under()
    const chart = chartOf({ 'homes.yaml': homesVolume }, 'server: 10.240.0.7\n')
    await settled(doors().helm.upgrade({ ...name, name: 'other', namespace: 'other' }, chart, wish()))
    const error = await failure(doors().helm.upgrade(name, chart, wish()))
    expect(error).toMatchObject({ code: 'helm.ownership', message: expect.stringContaining('must equal "data100-staging": current value is "other"') as string })
    expect(await statuses()).toEqual([])
  })

  it('what a chart makes no more is taken away', async () => {
    const map = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: map }\n'
    await upgrade(chartOf({ 'web.yaml': web(), 'map.yaml': map }))
    await upgrade(chartOf({ 'web.yaml': web() }))
    expect(under().kube.objects('ConfigMap').filter(({ metadata }) => metadata.name === 'map')).toEqual([])
  })

  it('pods that take longer than the progress deadline fail the install at once (K15)', async () => {
    under().setMountable(false)
    const chart = chartOf(webWithHomes('  progressDeadlineSeconds: 5'), 'server: 10.240.0.7\n')
    expect((await failure(under().doors().helm.upgrade(name, chart, wish()))).code).toBe('helm.deadline')
    // Nor does another one wait to its own end.
    expect((await failure(under().doors().helm.upgrade(name, chart, wish()))).code).toBe('helm.deadline')
    under().setMountable(true)
    await under().until(() => !JSON.stringify(under().kube.objects('Deployment')).includes('ProgressDeadlineExceeded'))
    await upgrade(chart)
    expect(await statuses()).toEqual(['failed', 'superseded', 'deployed'])
  })

  it('tells an API server that is not there from a release that is not there', async () => {
    const { down, doors } = under()
    const { helm, kube } = doors()
    down()
    expect(await failure(helm.history(name))).toMatchObject({ code: 'kube.unreachable', retry: {} })
    expect(await failure(helm.upgrade(name, hub, wish()))).toMatchObject({ code: 'kube.unreachable', retry: {} })
    expect(await failure(helm.uninstall(name, wish()))).toMatchObject({ code: 'kube.unreachable', retry: {} })
    expect(await failure(kube.get(cluster, name.namespace, 'service', 'proxy-public'))).toMatchObject({ code: 'kube.unreachable', retry: {} })
  })

  it('waits to the end where the API server dies in the midst of it, and cannot say so there', async () => {
    const { setMountable, down, doors, settled, kube } = under()
    setMountable(false)
    const waiting = doors(undefined, 5000).helm.upgrade(name, hub, wish({ timeoutMs: 1000 })).then(() => 'none', (error: unknown) => (error as LifeboatError).code)
    await isNow('pending-install')
    const applied = (what: string) => under().asked().some(({ method, path: asked }) => method === 'PATCH' && asked.endsWith(`/deployments/${what}`))
    await under().until(() => applied('hub') && applied('proxy'))
    await under().until(() => kube.objects('Pod').length > 0)
    down()
    expect(await settled(waiting)).toBe('helm.timeout')
    expect(kube.releases()).toMatchObject([{ status: 'pending-install' }])
  }, 60_000)

  it('hears again from an API server that comes back, of what has become of its pods meanwhile (K25)', async () => {
    const { setMountable, doors, settled, kube, now } = under()
    setMountable(false)
    const waiting = doors().helm.upgrade(name, hub, wish()).then(() => 'none', (error: unknown) => (error as LifeboatError).code)
    await isNow('pending-install')
    const applied = (what: string) => under().asked().some(({ method, path: asked }) => method === 'PATCH' && asked.endsWith(`/deployments/${what}`))
    await under().until(() => applied('hub') && applied('proxy') && kube.objects('Pod').length > 0)
    const watches = () => under().asked().filter(({ method, path: asked }) => method === 'GET' && asked.endsWith('/deployments')).length
    await under().until(() => watches() > 0)
    kube.goAway()
    const cutMs = now().getTime()
    setMountable(true)
    await under().until(() => kube.objects('Pod').every(isReady))
    // It has been asked again in vain more than once.
    await under().until(() => now().getTime() - cutMs > 5000)
    kube.comeBack()
    expect(await settled(waiting)).toBe('none')
    expect(await statuses()).toEqual(['deployed'])
  }, 60_000)

  it('is refused with credentials that are not right', async () => {
    under().setToken('wrong')
    const { helm, kube } = under().doors()
    expect((await failure(helm.history(name))).code).toBe('kube.denied')
    expect((await failure(kube.list(cluster, 'default', 'pods'))).code).toBe('kube.denied')
  })

  it('knows no kind that the cluster has not', async () => {
    expect((await failure(under().doors().kube.get(cluster, 'default', 'thing', 'x'))).code).toBe('kube.no-kind')
    const thing = chartOf({ 'thing.yaml': 'apiVersion: example.org/v1\nkind: Thing\nmetadata: { name: thing }\n' })
    expect((await failure(under().doors().helm.upgrade(name, thing, wish()))).message).toContain('unable to build kubernetes objects')
  })

  it('deletes one object, and it is as well if it is gone', async () => {
    await upgrade(chartOf({ 'map.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: map }\n' }))
    const { kube } = under().doors()
    await under().settled(kube.delete(cluster, name.namespace, 'configmap', 'map'))
    expect(await under().settled(kube.get(cluster, name.namespace, 'configmap', 'map'))).toBeUndefined()
    await under().settled(kube.delete(cluster, name.namespace, 'configmap', 'map'))
  })

  it('says before anything is sent that a chart cannot be rendered', async () => {
    const { helm } = under().doors()
    expect((await failure(helm.template(name, { chart: path, values: {} }, {}))).message).toMatch(/nfs|hub/)
    expect((await failure(helm.template(name, { chart: join(root, 'no-chart'), values }, {}))).code).toBe('helm.chart')
    expect(await under().settled(helm.template(name, chartOf({ 'hook.yaml': hook() }), { kubeVersion: '1.33.2' }))).toEqual({ preInstallHooks: ['Job/prepare'] })
    expect((await failure(helm.upgrade(name, { chart: path, values: {} }, wish()))).code).toBe('helm.chart')
    expect(await statuses()).toEqual([])
  })

  it('tells which versions they are', async () => {
    const { helm, kube } = under().doors()
    expect((await under().settled(helm.version())).version).toMatch(/^v4\.\d+\.\d+$/)
    expect((await under().settled(kube.version())).version).toMatch(/^v1\.\d+\.\d+$/)
  })
}

const isReady = (pod: KubeObject): boolean =>
  ((pod['status'] as { conditions?: { type: string; status: string }[] } | undefined)?.conditions ?? []).some((one) => one.type === 'Ready' && one.status === 'True')

/** As somebody does it with kubectl. */
function scale(kube: KubeCluster, replicas: number): void {
  const headers = { authorization: `Bearer ${clusterToken}`, 'content-type': 'application/strategic-merge-patch+json', 'user-agent': 'kubectl/v1.35.0' }
  const url = `/apis/apps/v1/namespaces/${name.namespace}/deployments/web`
  kube.call({ method: 'PATCH', url, headers, body: Buffer.from(JSON.stringify({ spec: { replicas } })) })
}
