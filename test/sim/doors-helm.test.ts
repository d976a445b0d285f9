import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { LifeboatError } from '../../src/contract/index.js'
import type { HelmDoor } from '../../src/platform/helm/door.js'
import { RecordedChildren } from '../helpers/doors.js'
import { root } from '../helpers/cli.js'
import { cluster, kubeServer } from '../helpers/kube-server.js'

const path = join(root, 'fixtures/charts/hub')
const name = { cluster, namespace: 'data100-staging', name: 'data100-staging' }
const values = { hub: { host: 'data100s.example.edu' }, nfs: { server: '10.240.0.7', path: '/pool0/homes/staging/home' } }
const chart = { chart: path, values }
const wish = () => ({ timeoutMs: 60_000, signal: new AbortController().signal, description: 'lifeboat one' })
const failure = (promise: Promise<unknown>): Promise<LifeboatError> =>
  promise.then(
    () => new LifeboatError('none', ''),
    (error: unknown) => (error instanceof LifeboatError ? error : new LifeboatError('unexpected', String(error))),
  )

/** Looks until the newest revision has this status. */
async function until(helm: HelmDoor, status: string): Promise<void> {
  while ((await helm.history(name)).at(-1)?.status !== status);
}

describe('the real helm against a Kubernetes API', () => {
  it('installs, tells its history, upgrades, rolls back and uninstalls', async () => {
    await using server = await kubeServer()
    const children = new RecordedChildren()
    const { helm, kube } = server.doors(children)
    expect(await helm.history(name)).toEqual([])
    await helm.upgrade(name, chart, wish())
    expect(await helm.history(name)).toEqual([{ revision: 1, status: 'deployed', chart: 'hub-0.1.0', description: 'lifeboat one' }])
    expect(await kube.get(cluster, name.namespace, 'service', 'proxy-public')).toMatchObject({ kind: 'Service' })
    expect(await kube.get(cluster, name.namespace, 'service', 'no-such')).toBeUndefined()
    expect((await kube.list(cluster, name.namespace, 'deployments')).length).toBe(2)

    await helm.upgrade(name, chart, { ...wish(), description: 'lifeboat two' })
    await helm.rollback(name, 1, wish())
    expect((await helm.history(name)).map(({ status }) => status)).toEqual(['superseded', 'superseded', 'deployed'])
    await helm.uninstall(name, wish())
    expect(await helm.history(name)).toEqual([])
    expect(children.startedOnes.map(({ survivor }) => survivor)).toEqual(['end', 'end', 'await', 'await'])
    expect(JSON.stringify(children.startedOnes)).not.toContain('10.240.0.7')
  })

  it('keeps credentials and values in private files, and the values only while they are needed', async () => {
    await using server = await kubeServer()
    const { helm, secrets } = server.doors()
    await helm.upgrade(name, chart, wish())
    const files = readdirSync(secrets, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && !entry.parentPath.includes('cache'))
    expect(files.map((file) => [file.name, statSync(join(file.parentPath, file.name)).mode & 0o777])).toEqual([['config', 0o600]])
    expect(readFileSync(join(files[0]!.parentPath, 'config'), 'utf8')).toContain('current-context: lifeboat')
  })

  it('names what is not ready when it waited in vain, and the release is failed then', async () => {
    await using server = await kubeServer()
    server.setMountable(false)
    const { helm } = server.doors(undefined, 3000)
    const error = await failure(helm.upgrade(name, chart, { ...wish(), timeoutMs: 1000 }))
    expect(error.code).toBe('helm.timeout')
    expect(error.message).toMatch(/Deployment\/data100-staging\/hub not ready/)
    expect((await helm.history(name)).at(-1)?.status).toBe('failed')
    server.setMountable(true)
    await server.doors().helm.upgrade(name, chart, wish())
    expect((await helm.history(name)).at(-1)?.status).toBe('deployed')
  })

  it('killed in the middle leaves a pending release, which helm itself refuses to go on with', async () => {
    await using server = await kubeServer()
    server.setMountable(false)
    const children = new RecordedChildren()
    const doomed = failure(server.doors(children).helm.upgrade(name, chart, wish()))
    const { helm } = server.doors()
    await until(helm, 'pending-install')
    process.kill(-children.startedOnes[0]!.pid, 'SIGKILL')
    expect((await doomed).code).toBe('exec.killed')
    expect((await failure(helm.upgrade(name, chart, wish()))).code).toBe('helm.pending')
  })

  it('stopped in the middle ends by itself, and the release is failed', async () => {
    await using server = await kubeServer()
    server.setMountable(false)
    const stop = new AbortController()
    const { helm } = server.doors()
    const stopped = failure(helm.upgrade(name, chart, { ...wish(), signal: stop.signal }))
    await until(helm, 'pending-install')
    stop.abort(new LifeboatError('run.stopped', 'stopped'))
    expect((await stopped).code).toBe('run.stopped')
    expect((await helm.history(name)).at(-1)?.status).toBe('failed')
  })

  it('tells an API server that is not there from a release that is not there', async () => {
    await using server = await kubeServer()
    server.down()
    const { helm, kube } = server.doors()
    expect(await failure(helm.history(name))).toMatchObject({ code: 'kube.unreachable', retry: {} })
    expect(await failure(kube.get(cluster, name.namespace, 'service', 'proxy-public'))).toMatchObject({ code: 'kube.unreachable', retry: {} })
  })

  it('is refused with credentials that are not right', async () => {
    await using server = await kubeServer()
    server.state.token = 'wrong'
    const { helm, kube } = server.doors()
    expect((await failure(helm.history(name))).code).toBe('kube.denied')
    expect((await failure(kube.list(cluster, 'default', 'pods'))).code).toBe('kube.denied')
  })

  it('says before anything is sent that a chart cannot be rendered', async () => {
    await using server = await kubeServer()
    const { helm } = server.doors()
    expect((await failure(helm.template(name, { chart: path, values: {} }, {}))).message).toMatch(/nfs|hub/)
    expect((await failure(helm.template(name, { chart: join(root, 'no-chart'), values }, {}))).code).toBe('helm.chart')
    await helm.template(name, chart, {})
  })
})
