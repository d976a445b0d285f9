import { describe, expect, it } from 'vitest'
import { isIrreversible, LifeboatError, type Change } from '../../src/contract/index.js'
import { clockOf } from '../../src/platform/clock/clock.js'
import type { Platform } from '../../src/platform/platform.js'
import { helmRelease } from '../../src/steps/helm-release.js'
import { RecordedChildren } from '../helpers/doors.js'
import { root } from '../helpers/cli.js'
import { cluster, kubeServer } from '../helpers/kube-server.js'
import { Driven } from '../helpers/steps.js'

type Server = Awaited<ReturnType<typeof kubeServer>>
const release = { cluster, namespace: 'data100-prod', name: 'data100-prod' }
const nfs = { server: '10.240.0.7', path: '/pool0/homes/prod/home' }

/** The step with the doors of a new life of the run; of the platform it gets what it uses. */
function step(server: Server, host = 'data100.example.edu', children = new RecordedChildren()): Driven {
  const { helm, kube } = server.doors(children)
  // No resource manager serves this cluster: nothing tells which Kubernetes it runs.
  const azure = { clusters: { get: async () => undefined } }
  return new Driven(helmRelease, { helm, kube, azure } as unknown as Platform, clockOf({}), {
    cluster,
    namespace: release.namespace,
    release: release.name,
    chart: `${root}/fixtures/charts/hub`,
    addressFrom: { service: 'proxy-public' },
    values: { hub: { host }, nfs },
  })
}

async function converged(driven: Driven): Promise<Record<string, unknown>> {
  for (;;) {
    const seen = await driven.see()
    if (seen.state === 'converged') return seen.outputs
    expect(seen).toMatchObject({ state: 'in-flight' })
  }
}

/** Starts what the step would apply and kills helm as soon as its release has that status. */
async function killedIn(server: Server, status: string, work: (driven: Driven) => Promise<unknown>): Promise<void> {
  const children = new RecordedChildren()
  const driven = step(server, 'other.example.edu', children)
  const killed = server.atStatus(release.name, status, () => process.kill(-children.startedOnes.at(-1)!.pid, 'SIGKILL'))
  const doomed = work(driven).then(() => 'done', (error: unknown) => (error instanceof LifeboatError ? error.code : String(error)))
  await killed
  expect(await doomed).toBe('exec.killed')
}

const applyOf = (driven: Driven) => driven.make()

describe('helm/release', () => {
  it('installs once, waits for the address, upgrades for other values, and then has nothing to do', async () => {
    await using server = await kubeServer()
    const first = step(server)
    expect(await first.module.preflight(await first.plan(), first.inputs, first.ctx)).toEqual([])
    expect(await first.make()).toMatchObject([{ resource: 'release data100-prod/data100-prod', action: 'create' }])
    expect(await converged(first)).toEqual({ namespace: 'data100-prod', revision: 1, address: '203.0.113.1' })

    const other = step(server, 'other.example.edu')
    expect(await other.make()).toMatchObject([{ action: 'update', before: { revision: 1, status: 'deployed', served: 1 } }])
    expect(await converged(other)).toMatchObject({ revision: 2 })
    expect(await step(server).see()).toMatchObject({ state: 'drifted' })
  })

  it('puts an upgrade back by a rollback, and an installation by uninstalling', async () => {
    await using server = await kubeServer()
    const first = step(server)
    const [made] = await first.make()
    const upgraded = step(server, 'other.example.edu')
    const [update] = await upgraded.make()
    await upgraded.apply(upgraded.module.invert([update!]) as Change[])
    const { helm } = server.doors()
    expect((await helm.history(release)).map(({ status }) => status)).toEqual(['superseded', 'superseded', 'deployed'])
    await first.apply(first.module.invert([made!]) as Change[])
    expect(await first.see()).toEqual({ state: 'absent' })
  })

  it('has no way back where no revision ever served', () => {
    const [inverse] = helmRelease.invert([{ resource: 'release a/a', action: 'update', before: { revision: 1, status: 'failed' }, after: {} }])
    expect(isIrreversible(inverse!)).toBe(true)
  })

  it('goes on after helm was killed in an installation, as the creation that was shown', async () => {
    await using server = await kubeServer()
    server.setMountable(false)
    await killedIn(server, 'pending-install', applyOf)
    server.setMountable(true)
    const next = step(server)
    expect(await next.make()).toMatchObject([{ action: 'create', before: { status: 'pending-install' } }])
    expect(await converged(next)).toMatchObject({ revision: 1 })
  })

  it('goes on after helm was killed in an upgrade', async () => {
    await using server = await kubeServer()
    await step(server).make()
    server.setMountable(false)
    await killedIn(server, 'pending-upgrade', applyOf)
    server.setMountable(true)
    const next = step(server, 'third.example.edu')
    expect(await next.make()).toMatchObject([{ action: 'update', before: { status: 'pending-upgrade', served: 1 } }])
    expect(await converged(next)).toMatchObject({ revision: 2 })
  })

  it.each([
    ['pending-rollback', { action: 'update', after: { rollback: 1 } }],
    ['uninstalling', { action: 'delete' }],
  ] as const)('goes on after helm was killed while it was %s', async (status, change) => {
    await using server = await kubeServer()
    await step(server).make()
    await step(server, 'other.example.edu').make()
    server.setMountable(false)
    await killedIn(server, status, (driven) => driven.apply([{ resource: 'release data100-prod/data100-prod', ...change }]))
    server.setMountable(true)
    const next = step(server)
    await next.make()
    expect((await server.doors().helm.history(release)).at(-1)).toMatchObject({ status: 'deployed' })
    expect(await converged(next)).toMatchObject({ address: '203.0.113.1' })
  })

  it('is unknown, never absent, while the API server does not answer', async () => {
    await using server = await kubeServer()
    server.down()
    await expect(step(server).see()).rejects.toMatchObject({ code: 'kube.unreachable' })
  })
})
