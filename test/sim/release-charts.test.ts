import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { anyStep, type LifeboatError } from '../../src/contract/index.js'
import { pinsFromAfar } from '../../src/engine/index.js'
import { clockOf } from '../../src/platform/clock/clock.js'
import type { RemoteChart } from '../../src/platform/helm/door.js'
import { helmRelease } from '../../src/steps/helm-release.js'
import { chartServer, packaged } from '../helpers/chart-server.js'
import { writeChart } from '../helpers/kube.js'
import { kubeServer } from '../helpers/kube-server.js'
import { formsOf, leakIn, planted } from '../helpers/leaks.js'
import { converged, hubChart, release, releaseStep } from '../helpers/release.js'
import { secretsOf } from '../helpers/steps.js'
import { tempFolder } from '../helpers/temp-folder.js'

const login = { username: 'reader', password: `${planted('of-the-registry')},"x"` }
const given = { username: 'reader', password: { env: 'CHARTS' } }
const secrets = secretsOf({ CHARTS: login.password })
const version = '0.1.0'

const failure = (promise: Promise<unknown>): Promise<LifeboatError> =>
  promise.then(() => Promise.reject(new Error('it did not fail')), (error: unknown) => error as LifeboatError)

type Charts = Awaited<ReturnType<typeof chartServer>>
const kinds: readonly [string, (charts: Charts) => Record<string, unknown>][] = [
  ['an OCI registry', ({ oci }) => ({ oci: oci('hub'), version })],
  ['an HTTP repository', ({ repo }) => ({ repo, name: 'hub', version })],
]

/** Another chart of the same name and version. */
const otherArchive = (): string => packaged(writeChart(tempFolder(), 'hub', { 'a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n' }))

describe('a chart from an archive', () => {
  it('is installed like one from a folder', async () => {
    await using server = await kubeServer()
    const step = releaseStep(server, { chart: packaged(hubChart) })
    await step.make()
    expect(await converged(step)).toMatchObject({ revision: 1, address: '203.0.113.1' })
  })
})

describe.each(kinds)('a chart from %s', (_, chartAt) => {
  it('is pulled once with the login that is referred to, installed, and has nothing to do afterwards', async () => {
    await using server = await kubeServer()
    const charts = await chartServer(login)
    charts.offer('hub', version, packaged(hubChart))
    const step = releaseStep(server, { chart: { ...chartAt(charts), login: given, ca: charts.ca } }, { secrets })
    const changes = await step.plan()
    expect(changes).toMatchObject([{ action: 'create', after: { chart: expect.stringContaining('0.1.0') as string } }])
    expect(leakIn(JSON.stringify(changes))).toBe(undefined)
    expect(JSON.stringify(changes)).not.toContain('keyed')
    expect(await step.module.preflight(changes, step.inputs, step.ctx)).toEqual([])
    await step.apply(changes)
    expect(await converged(step)).toMatchObject({ revision: 1 })
    expect(charts.requests.filter((one) => /\.tgz$|\/blobs\//.test(one)).length).toBeLessThanOrEqual(2)
    for (const folder of server.folders) {
      const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
      for (const { parentPath, name } of files) {
        for (const form of formsOf('of-the-registry')) expect(readFileSync(join(parentPath, name), 'latin1'), name).not.toContain(form)
      }
    }
  })

  it('has a digest of its own for what it holds, whatever it is called', async () => {
    await using server = await kubeServer()
    const charts = await chartServer()
    const digest = (): Promise<string> => server.doors().helm.pull({ ...chartAt(charts), ca: charts.ca } as unknown as RemoteChart)
    charts.offer('hub', version, packaged(hubChart))
    const before = await digest()
    expect(await digest()).toBe(before)
    charts.offer('hub', version, otherArchive())
    expect(await digest()).not.toBe(before)
  })

  it('is told apart: no right to read, no such version, an unknown authority, nobody there', async () => {
    await using server = await kubeServer()
    const charts = await chartServer(login)
    charts.offer('hub', version, packaged(hubChart))
    const pull = (more: Record<string, unknown>): Promise<LifeboatError> =>
      failure(server.doors().helm.pull({ ...chartAt(charts), ca: charts.ca, ...more } as unknown as RemoteChart))
    const withLogin = { login: { username: login.username, password: secrets.read({ env: 'CHARTS' }) } }
    expect(await pull({})).toMatchObject({ code: 'helm.pull', hint: expect.stringContaining('chart.login') as string })
    expect(await pull({ ...withLogin, version: '9.9.9' })).toMatchObject({ code: 'helm.pull', hint: expect.stringContaining('name and version') as string })
    expect(await pull({ ...withLogin, ca: undefined })).toMatchObject({ code: 'helm.pull', hint: expect.stringContaining('chart.ca') as string })
    charts.stop()
    expect(await pull(withLogin)).toMatchObject({ code: 'helm.pull', retry: {}, hint: expect.stringContaining('copy in a folder') as string })
  })
})

describe('what a run pins of charts from afar', () => {
  it('is each chart once, with its digest, though other inputs are still pending', async () => {
    await using server = await kubeServer()
    const charts = await chartServer()
    charts.offer('hub', version, packaged(hubChart))
    const chart = { oci: charts.oci('hub'), version, ca: charts.ca }
    const node = (id: string, more: object) => ({ kind: 'step', id, uses: 'helm/release', needs: [], position: { line: 1, column: 1 }, positions: new Map(), with: { cluster: release.cluster, namespace: 'n', release: id, ...more } })
    const ports = {
      runbook: { nodes: [node('a', { chart }), node('b', { chart }), node('c', { chart: hubChart })], vars: {}, azure: {}, folder: '/' },
      registry: new Map([['helm/release', anyStep(helmRelease as never)]]),
      ...{ clock: clockOf({}), env: () => undefined, secrets, signal: new AbortController().signal, pollEveryMs: 1 },
      doors: () => server.doors(),
    }
    const pins = await pinsFromAfar(ports as never)
    expect(pins).toEqual([{ what: `${charts.oci('hub')}:0.1.0`, digest: expect.stringMatching(/^sha256:/) as string }])
  })
})
