import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { LifeboatError, Secret } from '../../src/contract/index.js'
import { releaseDigest } from '../../src/platform/helm/digest.js'
import { helmError } from '../../src/platform/helm/errors.js'
import { KubeAccess } from '../../src/platform/kube/access.js'
import { findTools } from '../../src/platform/kube/tools.js'
import { execFor } from '../helpers/doors.js'
import { tempFolder } from '../helpers/temp-folder.js'

const failure = (promise: Promise<unknown>): Promise<string> =>
  promise.then(() => 'none', (error: unknown) => (error instanceof LifeboatError ? error.code : String(error)))

/** A program that answers as a helm of that version would. */
function helmOf(version: string): string {
  const folder = tempFolder()
  writeFileSync(join(folder, 'helm'), `#!/bin/sh\necho ${version}\n`, { mode: 0o755 })
  return folder
}

describe('which helm is used', () => {
  const find = (env: Record<string, string>) => findTools(execFor().exec, env).helm()

  it('is the one that LIFEBOAT_HELM names, before any other', async () => {
    const [mine, theirs] = [helmOf('v4.0.1'), helmOf('v4.9.9')]
    expect(await find({ LIFEBOAT_HELM: join(mine, 'helm'), PATH: theirs })).toEqual({ path: join(mine, 'helm'), version: 'v4.0.1' })
  })
  it('is a helm 4 on PATH, and not a helm 3', async () => {
    const [four, three] = [helmOf('v4.9.9'), helmOf('v3.17.1')]
    expect((await find({ PATH: four })).path).toBe(join(four, 'helm'))
    expect((await find({ PATH: three })).path).toContain('node_modules/.bin')
    expect((await find({ PATH: `${three}:${four}` })).path).toBe(join(four, 'helm'))
  })
  it('is the package’s own where there is none on PATH, wherever one stands', async () => {
    expect((await find({ PATH: tempFolder() })).version).toMatch(/^v4\./)
  })
  it('is refused when it is of another major, and missing when it is not there', async () => {
    expect(await failure(find({ LIFEBOAT_HELM: join(helmOf('v3.17.1'), 'helm'), PATH: '' }))).toBe('helm.version')
    expect(await failure(find({ LIFEBOAT_HELM: '/no/helm', PATH: helmOf('v4.0.0') }))).toBe('helm.missing')
    expect(await failure(findTools(execFor().exec, { LIFEBOAT_KUBECTL: '/no/kubectl' }).kubectl())).toBe('kubectl.missing')
  })
})

describe('the access to a cluster', () => {
  const kubeconfig = JSON.stringify({
    clusters: [{ name: 'c', cluster: { server: 'https://api:443' } }],
    contexts: [{ name: 'admin', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'admin',
    users: [{ name: 'u', user: { token: 't' } }],
  })
  const open = (text: string, httpsProxy?: string) => {
    const proxy = httpsProxy === undefined ? {} : { httpsProxy }
    return new KubeAccess({ secrets: tempFolder(), credentials: async () => new Secret(text), ...proxy })
  }

  it('goes through the proxy of the cloud file, in one context of a fixed name, and lists credentials once', async () => {
    const access = open(kubeconfig, 'http://127.0.0.1:3128')
    const to = await access.to('/c')
    const written = parse(readFileSync(to.kubeconfig, 'utf8')) as Record<string, unknown>
    expect(written).toMatchObject({
      clusters: [{ cluster: { server: 'https://api:443', 'proxy-url': 'http://127.0.0.1:3128' } }],
      contexts: [{ name: 'lifeboat' }],
      'current-context': 'lifeboat',
    })
    expect((await access.to('/C')).kubeconfig).toBe(to.kubeconfig)
  })
  it('gives helm a home of its own and no proxy variables', async () => {
    const { env } = await open(kubeconfig).to('/c')
    expect(Object.keys(env).sort()).toEqual(['HELM_CACHE_HOME', 'HELM_CONFIG_HOME', 'HELM_DATA_HOME', 'HOME', 'KUBECACHEDIR', 'KUBECONFIG'])
  })
  it('is refused, with the reason, where it would need kubelogin', async () => {
    const users = [{ name: 'u', user: { exec: { command: 'kubelogin' } } }]
    expect(await failure(open(JSON.stringify({ ...(JSON.parse(kubeconfig) as object), users })).to('/c'))).toBe('kube.kubelogin')
  })
  it.each(['', '[]', 'just text', '{}', '{ unclosed: ['])('is refused when what is listed is no kubeconfig: %j', async (text) => {
    expect(await failure(open(text).to('/c'))).toBe('kube.credentials')
  })
})

describe('the digest of a release', () => {
  function chart(files: Record<string, string>): string {
    const folder = tempFolder()
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(folder, name, '..'), { recursive: true })
      writeFileSync(join(folder, name), text)
    }
    return folder
  }
  const files = { 'Chart.yaml': 'name: a', 'templates/b.yaml': 'b' }

  it('is the same wherever the chart lies and however the values are ordered', async () => {
    expect(await releaseDigest(chart(files), { values: { a: 1, b: { c: [1, 2], d: 'x' } } })).toBe(await releaseDigest(chart(files), { values: { b: { d: 'x', c: [1, 2] }, a: 1 } }))
  })
  it('is another for other files, names or values', async () => {
    const digests = await Promise.all([
      releaseDigest(chart(files), { values: {} }),
      releaseDigest(chart({ ...files, 'templates/b.yaml': 'c' }), { values: {} }),
      releaseDigest(chart({ 'Chart.yaml': 'name: a', 'templates/c.yaml': 'b' }), { values: {} }),
      releaseDigest(chart(files), { values: { a: [1, 2] } }),
      releaseDigest(chart(files), { values: { a: [2, 1] } }),
    ])
    expect(new Set(digests).size).toBe(5)
  })
  it('cannot be made of what is not there', async () => {
    expect(await failure(releaseDigest('/no/chart', { values: {} }))).toBe('file.unreadable')
  })
  it('follows a link into a folder, as helm does', async () => {
    const [linked, plain] = [tempFolder(), chart(files)]
    writeFileSync(join(linked, 'Chart.yaml'), 'name: a')
    symlinkSync(join(plain, 'templates'), join(linked, 'templates'))
    expect(await releaseDigest(linked, { values: {} })).toBe(await releaseDigest(plain, { values: {} }))
  })
})

describe('what helm says when it fails', () => {
  it.each([
    ['Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress', 'helm.pending', true],
    ['Error: kubernetes cluster unreachable: Get "https://api/version": EOF', 'kube.unreachable', true],
    ['Error: kubernetes cluster unreachable: the server has asked for the client to provide credentials', 'kube.denied', false],
    ['Error: resource Deployment/a/hub not ready. status: InProgress, message: Available: 0/1\ncontext deadline exceeded', 'helm.timeout', false],
    ['Error: unable to continue with install: Service "x" in namespace "y" exists: invalid ownership metadata; label', 'helm.ownership', false],
    ['Error: UPGRADE FAILED: conflict occurred while applying object a/hub apps/v1: Apply failed with 1 conflict', 'helm.conflict', false],
    ['Error: Get "https://api:443/apis": context deadline exceeded (Client.Timeout exceeded while awaiting headers)\ni/o timeout', 'kube.unreachable', true],
    ['Error: something else', 'helm.failed', false],
  ])('%s', (stderr, code, retryable) => {
    const error = helmError(stderr)
    expect([error.code, error.retry !== undefined]).toEqual([code, retryable])
  })
})
