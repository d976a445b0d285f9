import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { homesVolume, servedCluster, versionedImage, webDeployment, writeChart } from '../helpers/kube.js'

const campus = fileURLToPath(new URL('charts/campus', import.meta.url))

const web = (spec = ''): string => webDeployment({ image: versionedImage, spec })

const homes = `${homesVolume}---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: homes }
spec:
  accessModes: [ReadWriteMany]
  storageClassName: ""
  volumeName: homes
  resources: { requests: { storage: 1Gi } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: hub }
spec:
  selector: { matchLabels: { app: hub } }
  progressDeadlineSeconds: 3600
  template:
    metadata: { labels: { app: hub } }
    spec:
      containers: [{ name: hub, image: hub, volumeMounts: [{ name: homes, mountPath: /home }] }]
      volumes: [{ name: homes, persistentVolumeClaim: { claimName: homes } }]
`

test('helm installs, upgrades, rolls back, lists and uninstalls a chart of every kind that a hub has', async () => {
  const { helm, kubectl, cluster } = await servedCluster({ readyAfterMs: () => 5_000 })
  const inCampus = ['-n', 'campus', '--wait', '--timeout', '60s']
  const secret = async (): Promise<string> => (await kubectl('get', 'secret', 'hub', '-n', 'campus', '-o', 'jsonpath={.data}')).stdout

  const installed = await helm('upgrade', '--install', 'campus', campus, '--create-namespace', ...inCampus)
  expect(installed.stderr).not.toContain('Error')
  expect(installed.code).toBe(0)
  const before = await secret()
  expect((await helm('upgrade', '--install', 'campus', campus, ...inCampus, '--set', 'image=quay.io/example/hub:2')).code).toBe(0)
  // The chart looks its own secret up: without discovery by version it would make a new one.
  expect(await secret()).toBe(before)
  expect((await helm('rollback', 'campus', '1', ...inCampus)).code).toBe(0)
  expect(cluster.releases()).toEqual([{ namespace: 'campus', name: 'campus', revision: 3, status: 'deployed' }])
  const history = JSON.parse((await helm('history', 'campus', '-n', 'campus', '-o', 'json')).stdout) as { status: string }[]
  expect(history.map(({ status }) => status)).toEqual(['superseded', 'superseded', 'deployed'])
  expect((await helm('list', '-A', '-q')).stdout).toBe('campus\n')

  expect((await helm('uninstall', 'campus', ...inCampus)).code).toBe(0)
  expect(cluster.releases()).toEqual([])
  expect(cluster.objects('Pod')).toEqual([])
  expect(cluster.objects('Deployment')).toEqual([])
})

test('helm that applies on its own side works as well, and a later one takes its fields over', async () => {
  const { helm, kubectl, folder } = await servedCluster({ readyAfterMs: () => 1_000 })
  const chart = writeChart(folder, 'web', { 'web.yaml': web() })
  const flags = ['-n', 'web', '--wait', '--timeout', '60s']
  expect((await helm('install', 'web', chart, '--create-namespace', '--server-side=false', ...flags)).code).toBe(0)
  expect((await helm('upgrade', 'web', chart, '--server-side=false', '--set', 'version=2', ...flags)).code).toBe(0)
  const taken = await helm('upgrade', 'web', chart, '--server-side=true', '--set', 'version=3', ...flags)
  expect(taken.stderr).not.toContain('conflict')
  expect(taken.code).toBe(0)
  expect((await kubectl('get', 'deploy', 'web', '-n', 'web', '-o', 'jsonpath={..image}')).stdout).toBe('web:3')
})

test('K9: an upgrade’s pods are quick, because the first ones have brought the images', async () => {
  const asked: string[] = []
  const hour = 3_600_000
  const { helm, folder, cluster } = await servedCluster({
    speed: 3600,
    readyAfterMs: ({ kind, name }) => {
      asked.push(`${kind}/${name}`)
      return hour
    },
  })
  const chart = writeChart(folder, 'web', { 'web.yaml': web('  progressDeadlineSeconds: 7200') })
  const args = ['upgrade', '--install', 'web', chart, '-n', 'web', '--create-namespace', '--wait', '--timeout', '60s']
  const transitions = (): number[] =>
    cluster.objects('Pod').map((pod) => {
      const { startTime, conditions } = pod['status'] as { startTime: string; conditions: { type: string; lastTransitionTime: string }[] }
      return Date.parse(conditions.find(({ type }) => type === 'Ready')?.lastTransitionTime ?? '') - Date.parse(startTime)
    })
  expect((await helm(...args)).code).toBe(0)
  // Whole seconds are told.
  expect(Math.min(...transitions())).toBeGreaterThanOrEqual(hour - 1000)
  expect((await helm(...args, '--set', 'version=2')).code).toBe(0)
  expect(Math.min(...transitions())).toBeLessThan(hour - 1000)
  expect(new Set(asked)).toEqual(new Set(['Deployment/web']))
})

test('K10: a pod whose NFS is not exported never gets ready; once it is, it does', async () => {
  let exported = false
  const { helm, kubectl, folder, cluster } = await servedCluster({ readyAfterMs: () => 1_000, canMountNfs: () => exported })
  const chart = writeChart(folder, 'homes', { 'homes.yaml': homes }, 'server: 10.240.0.7\n')
  const args = ['upgrade', '--install', 'homes', chart, '-n', 'homes', '--create-namespace', '--wait']
  const waited = await helm(...args, '--timeout', '2s')
  expect(waited.code).toBe(1)
  expect(waited.stderr).toContain('resource Deployment/homes/hub not ready')
  const why = await kubectl('get', 'events', '-n', 'homes', '-o', 'jsonpath={..message}')
  expect(why.stdout).toContain('mounting 10.240.0.7:/pool0/homes')
  const reason = '{.items[0].status.containerStatuses[0].state.waiting.reason}'
  expect((await kubectl('get', 'pods', '-n', 'homes', '-o', `jsonpath=${reason}`)).stdout).toBe('ContainerCreating')
  exported = true
  cluster.poke()
  expect((await helm(...args, '--timeout', '60s')).code).toBe(0)
})

test('K14: helm waits for no load balancer: it is done, and the service has no address', async () => {
  const days = 24 * 3_600_000
  const { helm, kubectl, folder, cluster } = await servedCluster({
    readyAfterMs: () => 100,
    loadBalancer: () => ({ address: '52.183.60.21', afterMs: 10 * days }),
  })
  const service = `
apiVersion: v1
kind: Service
metadata: { name: proxy-public, labels: { component: proxy } }
spec: { type: LoadBalancer, selector: { app: web }, ports: [{ port: 443 }] }
`
  const chart = writeChart(folder, 'web', { 'web.yaml': web(), 'service.yaml': service })
  expect((await helm('install', 'web', chart, '-n', 'web', '--create-namespace', '--wait', '--timeout', '60s')).code).toBe(0)
  const address = 'jsonpath={.status.loadBalancer.ingress[0].ip}'
  expect((await kubectl('get', 'service', 'proxy-public', '-n', 'web', '-o', address)).stdout).toBe('')
  expect(cluster.services()).toEqual([
    { namespace: 'web', name: 'proxy-public', ready: true, labels: { component: 'proxy', 'app.kubernetes.io/managed-by': 'Helm' } },
  ])
})

test('K15: pods that take longer than the progress deadline fail the install at once', async () => {
  // The impatient one's never: whichever of helm and the clock is the quicker, there is one end.
  const readyAfterMs = ({ namespace }: { namespace: string }): number => (namespace === 'patient' ? 14 * 60_000 : 10 * 24 * 3_600_000)
  const { helm, folder } = await servedCluster({ speed: 600, readyAfterMs })
  const installed = (name: string, deployment: string): ReturnType<typeof helm> => {
    const chart = writeChart(folder, name, { 'web.yaml': deployment })
    return helm('upgrade', '--install', 'web', chart, '-n', name, '--create-namespace', '--wait', '--timeout', '60s')
  }
  const impatient = await installed('impatient', web())
  expect(impatient.code).toBe(1)
  expect(impatient.stderr).toContain('Progress deadline exceeded')
  expect((await installed('patient', web('  progressDeadlineSeconds: 3600'))).code).toBe(0)
})
