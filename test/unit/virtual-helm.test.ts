import { beforeEach, describe, expect, it } from 'vitest'
import { fileURLToPath } from 'node:url'
import { Secret } from '../../src/contract/index.js'
import { openHelm } from '../../src/platform/helm/helm.js'
import { KubeAccess } from '../../src/platform/kube/access.js'
import { openKube } from '../../src/platform/kube/kubectl.js'
import { findTools } from '../../src/platform/kube/tools.js'
import type { KubeCluster, KubeRequest } from '../../src/sim/kube/cluster.js'
import { virtualClock } from '../../src/sim/world/clock.js'
import { helmModel } from '../../src/virtual/programs/helm/helm.js'
import { Renderer } from '../../src/virtual/programs/helm/render.js'
import { kubectlModel } from '../../src/virtual/programs/kubectl.js'
import { temporaryFolder } from '../helpers/cli.js'
import { RecordedChildren } from '../helpers/doors.js'
import { itKeepsReleases, type HelmUnderTest } from '../helpers/helm-contract.js'
import { webDeployment, writeChart } from '../helpers/kube.js'
import { cluster, clusterToken, clusterWhere } from '../helpers/kube-server.js'
import { machineOn } from '../helpers/within.js'

const renderer = new Renderer(fileURLToPath(new URL('../../node_modules/.bin/helm', import.meta.url)))

function models(readyAfterMs = () => 1000): HelmUnderTest {
  const time = virtualClock(Date.parse('2019-02-25T19:34:00Z'))
  const at = machineOn(time, temporaryFolder())
  const state = { mountable: true, token: clusterToken }
  const requests: KubeRequest[] = []
  const kube = clusterWhere(state, { clock: time, readyAfterMs, onRequest: (request) => requests.push(request) })
  const clusterAt = (): KubeCluster => kube
  const programs = { helm: helmModel({ clusterAt, renderer }), kubectl: kubectlModel(clusterAt) }
  const kubeconfig = (): string =>
    JSON.stringify({
      clusters: [{ name: 'c', cluster: { server: 'https://c.hcp.westus2.azmk8s.io:443' } }],
      contexts: [{ name: 'of-azure', context: { cluster: 'c', user: 'u' } }],
      users: [{ name: 'u', user: { token: state.token } }],
    })
  return {
    kube,
    asked: () => requests,
    doors: (children = new RecordedChildren(), leastRealMs = 60_000) => {
      const { exec, secrets } = at.execWith(programs, children)
      const access = new KubeAccess({ secrets, credentials: async () => new Secret(kubeconfig()) })
      const tools = findTools(exec, { PATH: process.env['PATH'] })
      const shared = { exec, access, tools, clock: at.clock }
      return { kube: openKube(shared), helm: openHelm({ ...shared, secrets, leastRealMs }) }
    },
    settled: at.settled,
    until: at.until,
    setMountable: (mountable) => {
      state.mountable = mountable
      kube.poke()
    },
    now: () => at.clock.realNow(),
    setToken: (token) => (state.token = token),
    down: () => kube.stop(),
    signal: (pid, signal) => at.machine.signalGroup(pid, signal),
  }
}

describe('the models of helm and kubectl, in virtual time', () => {
  let under: HelmUnderTest
  beforeEach(() => {
    under = models()
  })
  itKeepsReleases(() => under)

  // As the real one does (facts/helm-wire): twelve calls of it would take too long here.
  it('keep ten revisions, as the labels of their secrets say', async () => {
    const { doors, settled, kube } = under
    const { helm } = doors()
    const map = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: map }\ndata: { a: "1" }\n'
    const chart = { chart: writeChart(temporaryFolder(), 'map', { 'map.yaml': map }) }
    const name = { cluster, namespace: 'data100-prod', name: 'data100-prod' }
    const wish = { timeoutMs: 60_000, signal: new AbortController().signal, description: 'again' }
    for (let revision = 1; revision <= 12; revision += 1) await settled(helm.upgrade(name, chart, wish))
    const labels = kube.objects('Secret').map(({ metadata }) => metadata.labels)
    expect(labels.map((one) => Number(one?.['version'])).sort((one, other) => one - other)).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    expect(labels).toContainEqual(expect.objectContaining({ name: name.name, owner: 'helm', status: 'deployed', version: '12' }))
  })
})

describe('a helm whose timeout is counted anew for its hooks and for what it waits for (K17)', () => {
  const release = { cluster, namespace: 'data100-prod', name: 'data100-prod' }
  const wish = { timeoutMs: 60_000, signal: new AbortController().signal, description: 'one' }
  const chartWith = (event: string) => {
    const annotations = `{ "helm.sh/hook": ${event}, "helm.sh/hook-delete-policy": hook-succeeded }`
    const spec = '{ template: { spec: { restartPolicy: Never, containers: [{ name: p, image: p }] } } }'
    const hook = `apiVersion: batch/v1\nkind: Job\nmetadata: { name: prepare, annotations: ${annotations} }\nspec: ${spec}\n`
    const web = webDeployment({ image: '{{ .Values.image }}' })
    return { chart: writeChart(temporaryFolder(), 'web', { 'web.yaml': web, 'hook.yaml': hook }, 'image: web') }
  }

  it('is ended where an upgrade takes much longer than its runbook allows, as one that has waited in vain: pods are asked, and nothing is tried again', async () => {
    const { doors, settled, now } = models(() => 50_000)
    const began = now().getTime()
    const error: unknown = await settled(doors().helm.upgrade(release, chartWith('pre-install'), wish).then(() => undefined, (thrown: unknown) => thrown))
    expect(error).toMatchObject({ code: 'helm.timeout', blame: 'cloud', retry: undefined, message: expect.stringContaining('not done after 90 s') as string })
    expect(now().getTime() - began).toBeLessThan(100_000)
  })

  it('has all the time that its phases may take where it is a rollback, which must never be broken off', async () => {
    let readyMs = 1000
    const { doors, settled, now } = models(() => readyMs)
    const { helm } = doors()
    const chart = chartWith('pre-rollback')
    for (const image of ['web:1', 'web:2']) await settled(helm.upgrade(release, { ...chart, values: { image } }, wish))
    readyMs = 50_000
    const began = now().getTime()
    await settled(helm.rollback(release, 1, wish))
    expect(now().getTime() - began).toBeGreaterThan(90_000)
    expect((await settled(helm.history(release))).at(-1)).toMatchObject({ revision: 3, status: 'deployed' })
  })
})
