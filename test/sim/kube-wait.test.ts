import { describe, expect, it } from 'vitest'
import type { Observation } from '../../src/contract/index.js'
import { clockOf } from '../../src/platform/clock/clock.js'
import type { Platform } from '../../src/platform/platform.js'
import { helmRelease } from '../../src/steps/helm-release.js'
import { kubeWait } from '../../src/steps/kube-wait.js'
import { root } from '../helpers/cli.js'
import { cluster, kubeServer } from '../helpers/kube-server.js'
import { served } from '../helpers/served.js'
import { doorsTo, Driven, subscription } from '../helpers/steps.js'
import { worldFile, type WorldFile } from '../helpers/worlds.js'

const oldCluster = `/subscriptions/${subscription}/resourceGroups/data100-19s/providers/Microsoft.ContainerService/managedClusters/data100-19s`

type Server = Awaited<ReturnType<typeof kubeServer>>

function wait(server: Server, inputs: Record<string, unknown>): Driven {
  const { kube } = server.doors()
  const wanted = { cluster, namespace: 'data100-prod', kind: 'deployment', name: 'hub', for: 'condition=Available', ...inputs }
  return new Driven(kubeWait, { kube } as unknown as Platform, clockOf({}), wanted)
}

async function install(server: Server): Promise<void> {
  const { helm, kube } = server.doors()
  const values = { hub: { host: 'data100.example.edu' }, nfs: { server: '10.240.0.7', path: '/pool0/homes/prod/home' } }
  const wanted = { cluster, namespace: 'data100-prod', release: 'data100-prod', chart: `${root}/fixtures/charts/hub`, values }
  await new Driven(helmRelease, { helm, kube } as unknown as Platform, clockOf({}), wanted).make()
}

describe('kube/wait', () => {
  it('waits with the real kubectl until a condition holds, and says what it saw last', async () => {
    await using server = await kubeServer()
    expect(await wait(server, {}).see()).toMatchObject({ state: 'in-flight', what: 'deployment data100-prod/hub: it is not there; waiting for condition=Available' })
    await install(server)
    expect(await wait(server, {}).see()).toEqual({ state: 'converged', outputs: { value: 'True' } })
    const path = 'jsonpath={.spec.replicas}'
    expect(await wait(server, { for: `${path}=7` }).see()).toMatchObject({ what: expect.stringContaining('.spec.replicas is 1') as string })
    expect(await wait(server, { for: path }).see()).toEqual({ state: 'converged', outputs: { value: '1' } })
    expect(await wait(server, { kind: 'node', name: 'nobody', for: 'delete' }).see()).toEqual({ state: 'converged', outputs: { value: 'gone' } })
  })

  it('stops at a kind that the cluster does not have: waiting would not help', async () => {
    await using server = await kubeServer()
    expect(await wait(server, { kind: 'deploymnt' }).see()).toMatchObject({ state: 'conflict', why: expect.stringContaining('"deploymnt"') as string })
  })

  it('is unknown while the API server does not answer: gone is not seen by nobody answering', async () => {
    await using server = await kubeServer()
    server.down()
    await expect(wait(server, { for: 'delete' }).see()).rejects.toMatchObject({ code: 'kube.unreachable' })
  })

  it('is unknown where the cluster is stopped, whose API server is off (A130)', async () => {
    const stop = (world: WorldFile): void => {
      world.deadApiServers = []
      Object.assign(world.resources.find(({ id }) => id.toLowerCase() === oldCluster.toLowerCase())?.properties ?? {}, { powerState: { code: 'Stopped' } })
    }
    await using world = await served(worldFile(stop))
    const { doors, clock } = await doorsTo(world.cloudPath)
    expect(await doors.azure.clusters.get(oldCluster)).toMatchObject({ provisioningState: 'Succeeded', powerState: 'Stopped' })
    const looking = new Driven(kubeWait, doors, clock, { cluster: oldCluster, namespace: 'default', kind: 'node', name: 'nobody', for: 'delete' })
    await expect(looking.see()).rejects.toMatchObject({ code: 'kube.unreachable' })
  })

  it('tells a cluster of the world’s file that is alive from one whose API server is dead, where Azure says Succeeded of both', async () => {
    const lookIn = async (edit: (world: WorldFile) => void): Promise<Observation<object, unknown>> => {
      await using world = await served(worldFile(edit))
      const { doors, clock } = await doorsTo(world.cloudPath)
      expect((await doors.azure.clusters.get(oldCluster))?.provisioningState).toBe('Succeeded')
      return await new Driven(kubeWait, doors, clock, { cluster: oldCluster, namespace: 'default', kind: 'node', name: 'nobody', for: 'delete' }).see()
    }
    await expect(lookIn(() => undefined)).rejects.toMatchObject({ code: 'kube.unreachable' })
    expect(await lookIn((world) => (world.deadApiServers = []))).toEqual({ state: 'converged', outputs: { value: 'gone' } })
  })
})
