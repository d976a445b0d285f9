import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { LifeboatError } from '../../src/contract/index.js'
import { root } from '../helpers/cli.js'
import { homesVolume, servedCluster, webDeployment, writeChart, type ServedCluster } from '../helpers/kube.js'
import { kubeServer } from '../helpers/kube-server.js'
import { release, releaseStep } from '../helpers/release.js'
import { helmError } from '../../src/platform/helm/errors.js'
import { tempFolder } from '../helpers/temp-folder.js'

const deployment = (spec = ''): string => webDeployment({ spec })
const chart = (templates: Record<string, string>): string => writeChart(tempFolder(), 'web', templates, 'server: 10.240.0.7\n')

/** What the step would say of how the real helm failed at this. */
async function saidOf(served: ServedCluster, at: string, ...more: string[]): Promise<LifeboatError> {
  const { code, stderr } = await served.helm('upgrade', '--install', 'web', at, '-n', 'web', '--create-namespace', '--wait', '--timeout', '60s', ...more)
  expect(code).toBe(1)
  return helmError(stderr, at)
}

const installed = async (served: ServedCluster, at: string): Promise<void> => {
  const { code, stderr } = await served.helm('upgrade', '--install', 'web', at, '-n', 'web', '--create-namespace', '--wait', '--timeout', '60s')
  expect(code, stderr).toBe(0)
}

describe('what the real helm says, told plainly', () => {
  it('an object that another release owns, or nobody', async () => {
    const served = await servedCluster({ readyAfterMs: () => 1000 })
    expect((await served.kubectl('create', 'namespace', 'web')).code).toBe(0)
    expect((await served.kubectl('create', 'deployment', 'web', '--image=web', '-n', 'web')).code).toBe(0)
    const error = await saidOf(served, chart({ 'web.yaml': deployment() }))
    expect(error).toMatchObject({ code: 'helm.ownership', hint: expect.stringContaining('who made it') as string })
    expect(error.message).toContain('web')
  })

  it('an object that somebody else has changed', async () => {
    const served = await servedCluster({ readyAfterMs: () => 1000 })
    const at = chart({ 'web.yaml': deployment('  replicas: 1') })
    await installed(served, at)
    expect((await served.kubectl('scale', 'deploy/web', '--replicas=3', '-n', 'web')).code).toBe(0)
    expect(await saidOf(served, at)).toMatchObject({ code: 'helm.conflict', hint: expect.stringContaining('--show-managed-fields') as string })
  })

  it('a field that Kubernetes does not know, by name', async () => {
    const served = await servedCluster({ readyAfterMs: () => 1000 })
    const error = await saidOf(served, chart({ 'web.yaml': deployment('  replica: 1') }))
    expect(error.code).toBe('helm.object')
    expect(error.message).toContain('.spec.replica')
  })

  it('what cannot be changed, as the NFS server of a volume', async () => {
    const served = await servedCluster({ readyAfterMs: () => 1000 })
    const at = chart({ 'homes.yaml': homesVolume })
    await installed(served, at)
    expect(await saidOf(served, at, '--set', 'server=10.240.0.8')).toMatchObject({ code: 'helm.immutable', hint: expect.stringContaining('NFS server') as string })
  })

  it('a deployment that does not get on within its own deadline', async () => {
    const served = await servedCluster({ readyAfterMs: () => 10 * 24 * 3_600_000, speed: 600 })
    const error = await saidOf(served, chart({ 'web.yaml': deployment('  progressDeadlineSeconds: 60') }))
    expect(error).toMatchObject({ code: 'helm.deadline', hint: expect.stringContaining('progressDeadlineSeconds') as string })
  })
})

describe('before anything is sent to a cluster', () => {
  async function found(inputs: Record<string, unknown>, kubernetesVersion?: string) {
    await using server = await kubeServer()
    const given = kubernetesVersion === undefined ? {} : { kubernetesVersion }
    const step = releaseStep(server, { values: {}, addressFrom: undefined, ...inputs }, given)
    // By hand: what is missing cannot be digested, and with the engine the pins tell it even before.
    const changes = [{ resource: `release ${release.namespace}/${release.name}`, action: 'create', after: {} }] as const
    const findings = await step.module.preflight(changes, step.inputs, step.ctx)
    return findings.filter((one) => 'level' in one && one.level === 'stop')
  }
  const withChart = (lines: string): string => {
    const at = chart({ 'web.yaml': deployment() })
    writeFileSync(join(at, 'Chart.yaml'), `apiVersion: v2\nname: web\nversion: 0.1.0\n${lines}`)
    return at
  }

  it('a chart for another Kubernetes than the cluster’s stops the run, and one for it does not', async () => {
    const at = withChart('kubeVersion: ">=1.34.0-0"\n')
    expect(await found({ chart: at }, '1.33.2')).toMatchObject([{ what: expect.stringMatching(/not for this Kubernetes.*1\.34/) as string, mend: expect.stringContaining('version of the chart') as string }])
    expect(await found({ chart: at }, '1.34.1')).toEqual([])
  })

  it('a chart that is missing stops the run', async () => {
    expect(await found({ chart: join(root, 'no/such/chart') })).toMatchObject([{ what: expect.stringContaining('no/such/chart') as string }])
  })

  it('a chart without the charts that it depends on stops the run, with the command that gets them', async () => {
    const at = withChart('dependencies: [{ name: jupyterhub, version: 4.2.0, repository: "https://charts.example" }]\n')
    expect(await found({ chart: at })).toMatchObject([{ mend: expect.stringContaining('helm dependency build') as string }])
  })

  it('values that are no YAML stop the run with file, line and column', async () => {
    const path = join(tempFolder(), 'values.yaml')
    writeFileSync(path, 'hub:\n  a: [1\n  b: 2\n')
    expect(await found({ chart: chart({ 'web.yaml': deployment() }), valuesFiles: [path] })).toMatchObject([
      { what: expect.stringMatching(/values\.yaml:\d+:\d+: this values file is no YAML/) as string },
    ])
  })

  it('values that the chart’s schema does not take stop the run', async () => {
    const at = chart({ 'web.yaml': deployment() })
    writeFileSync(join(at, 'values.schema.json'), JSON.stringify({ type: 'object', properties: { replicas: { type: 'integer' } } }))
    expect(await found({ chart: at, values: { replicas: 'many' } })).toMatchObject([{ what: expect.stringMatching(/does not take these values.*replicas/) as string }])
  })
})
