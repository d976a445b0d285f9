import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root, temporaryFolder } from '../helpers/cli.js'
import { readinessIn } from '../helpers/readiness.js'
import { served } from '../helpers/served.js'
import { subscription } from '../helpers/steps.js'
import { cloudFile, worldFile } from '../helpers/worlds.js'

const oldCluster = `/subscriptions/${subscription}/resourceGroups/data100-19s/providers/Microsoft.ContainerService/managedClusters/data100-19s`

/** A runbook of one release on the cluster that is there. */
function oneRelease(): string {
  const path = join(temporaryFolder(), 'one.yaml')
  const runbook = {
    apiVersion: 'lifeboat/v1',
    name: 'one',
    azure: { subscription, location: 'westus2', cloud: 'AzurePublicCloud' },
    steps: [{ id: 'hub', uses: 'helm/release', with: { cluster: oldCluster, namespace: 'hub', release: 'hub', chart: join(root, 'fixtures/charts/hub') } }],
  }
  writeFileSync(path, JSON.stringify(runbook))
  return path
}

/** The world of data100 whose old cluster is alive and has these properties. */
const clusterWith = (properties: Record<string, unknown>): string =>
  worldFile((world) => {
    world.deadApiServers = []
    const cluster = world.resources.find(({ id }) => id.toLowerCase() === oldCluster.toLowerCase())
    Object.assign(cluster?.properties ?? {}, properties)
  })

/** A `kubectl` that says it is of this version, as LIFEBOAT_KUBECTL. */
function kubectl(version: string): { LIFEBOAT_KUBECTL: string } {
  const path = join(temporaryFolder(), 'kubectl')
  writeFileSync(path, `#!/bin/sh\necho '{"clientVersion": {"gitVersion": "v${version}"}}'\n`)
  chmodSync(path, 0o755)
  return { LIFEBOAT_KUBECTL: path }
}

describe('kubectl', () => {
  it.each(['1.31.0', '1.35.2'])('of %s is a warning beside a cluster of 1.33 that is still to be made', async (version) => {
    await using world = await served()
    const { code, findings } = await readinessIn(world, { env: kubectl(version) })
    expect(code).toBe(0)
    expect(findings).toContainEqual(expect.objectContaining({ level: 'warn', steps: ['cluster'], what: expect.stringContaining(`kubectl ${version}`) as string }))
  })

  it.each(['1.32.9', '1.33.0', '1.34.1'])('of %s is none', async (version) => {
    await using world = await served()
    expect((await readinessIn(world, { env: kubectl(version) })).findings.filter(({ what }) => what.includes('kubectl'))).toEqual([])
  })
})

describe('a missing tool', () => {
  it('stops the run once for all who need it', async () => {
    await using world = await served()
    const { code, findings } = await readinessIn(world, { env: { LIFEBOAT_HELM: '/nowhere/helm', LIFEBOAT_KUBECTL: '/nowhere/kubectl' } })
    expect(code).toBe(4)
    expect(findings).toContainEqual(expect.objectContaining({ level: 'stop', steps: ['staging', 'prod'], what: expect.stringContaining('helm was not found') as string }))
    expect(findings).toContainEqual(expect.objectContaining({ level: 'stop', steps: ['cluster', 'staging', 'prod'], what: expect.stringContaining('kubectl was not found') as string }))
  })
})

describe('a cluster that is there', () => {
  it('R4: without local accounts stops the run: its credentials need kubelogin', async () => {
    await using world = await served(clusterWith({ disableLocalAccounts: true }))
    const { code, failures, findings } = await readinessIn(world, { runbook: oneRelease() })
    expect([code, failures.map(({ step, error }) => [step, error.code])]).toEqual([4, [['hub', 'kube.kubelogin']]])
    expect(findings).toContainEqual({ level: 'stop', steps: ['hub'], what: expect.stringContaining('kubelogin') as string, mend: expect.any(String) as string })
  })

  it('and is private stops the run without a proxy in the cloud file', async () => {
    await using world = await served(clusterWith({ fqdn: 'data100-0a1b2c3d.6f1e.privatelink.westus2.azmk8s.io' }))
    const cloud = cloudFile(world.cloudPath, ({ reach }) => void delete reach.httpsProxy)
    const { code, failures, findings } = await readinessIn(world, { cloud, runbook: oneRelease() })
    expect([code, failures.map(({ step, error }) => [step, error.code])]).toEqual([4, [['hub', 'kube.private']]])
    const mend = expect.stringContaining('reach.httpsProxy') as string
    expect(findings).toContainEqual({ level: 'stop', steps: ['hub'], what: expect.stringContaining('private') as string, mend })
  })
})
