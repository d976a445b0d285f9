import { expect } from 'vitest'
import type { Clock, OwnProgram } from '../../src/contract/index.js'
import type { SecretPort } from '../../src/engine/index.js'
import { clockOf } from '../../src/platform/clock/clock.js'
import type { Platform } from '../../src/platform/platform.js'
import { helmRelease } from '../../src/steps/helm-release.js'
import { root } from './cli.js'
import { RecordedChildren } from './doors.js'
import { cluster, type kubeServer } from './kube-server.js'
import { Driven } from './steps.js'

export type KubeServer = Awaited<ReturnType<typeof kubeServer>>

/** The release of the tests, and what it is given if a test says nothing else. */
export const release = { cluster, namespace: 'data100-prod', name: 'data100-prod' }
export const hubChart = `${root}/fixtures/charts/hub`
export const hubValues = { hub: { host: 'data100.example.edu' }, nfs: { server: '10.240.0.7', path: '/pool0/homes/prod/home' } }

interface Given {
  readonly children?: RecordedChildren
  readonly secrets?: SecretPort
  /** Of the cluster, as the resource manager would tell it; unknown if absent. */
  readonly kubernetesVersion?: string
  /** What earlier lives of the run have started, and how much later than that it is; milliseconds. */
  readonly programs?: readonly OwnProgram[]
  readonly laterMs?: number
  /** In place of the clock's own. */
  readonly sleep?: Clock['sleep']
}

/** `helm/release` with the doors of a new life of the run; of the platform it gets what it uses. */
export function releaseStep(server: KubeServer, inputs: Record<string, unknown> = {}, given: Given = {}): Driven {
  const { children = new RecordedChildren(), secrets, kubernetesVersion, programs = [], laterMs = 0, sleep } = given
  const { helm, kube } = server.doors(children)
  // No resource manager serves this cluster.
  const azure = { clusters: { get: async () => (kubernetesVersion === undefined ? undefined : { kubernetesVersion }) } }
  const wanted = { cluster, namespace: release.namespace, release: release.name, chart: hubChart, addressFrom: { service: 'proxy-public' }, values: hubValues }
  const clock = { ...clockOf({}), realNow: () => new Date(Date.now() + laterMs), ...(sleep && { sleep }) }
  const driven = new Driven(helmRelease, { helm, kube, azure } as unknown as Platform, clock, { ...wanted, ...inputs }, secrets)
  driven.overPrograms = programs
  return driven
}

/** Looks until it is converged; waiting for the load balancer is all that may come before. */
export async function converged(driven: Driven): Promise<Record<string, unknown>> {
  for (;;) {
    const seen = await driven.see()
    if (seen.state === 'converged') return seen.outputs
    expect(seen).toMatchObject({ state: 'in-flight' })
  }
}
