import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { itKeepsReleases } from '../helpers/helm-contract.js'
import { kubeServer } from '../helpers/kube-server.js'
import { hubChart, hubValues, release, type KubeServer } from '../helpers/release.js'

describe('the real helm and kubectl against a Kubernetes API', () => {
  let server: KubeServer
  beforeEach(async () => {
    server = await kubeServer()
  })
  afterEach(() => server[Symbol.asyncDispose]())

  itKeepsReleases(() => ({
    kube: server.kube,
    asked: () => server.requests,
    doors: (children, leastRealMs) => server.doors(children, leastRealMs),
    settled: (work) => work,
    until: async (holds) => {
      while (!holds()) await setTimeout(10)
    },
    setMountable: server.setMountable,
    now: () => new Date(),
    setToken: (token) => (server.state.token = token),
    down: server.down,
    signal: (pid, signal) => void process.kill(-pid, signal),
  }))

  it('keeps credentials and values in private files, and the values only while they are needed', async () => {
    const { helm, secrets } = server.doors()
    const wish = { timeoutMs: 60_000, signal: new AbortController().signal, description: 'lifeboat one' }
    await helm.upgrade(release, { chart: hubChart, values: hubValues }, wish)
    const files = readdirSync(secrets, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && !entry.parentPath.includes('cache'))
    expect(files.map((file) => [file.name, statSync(join(file.parentPath, file.name)).mode & 0o777])).toEqual([['config', 0o600]])
    expect(readFileSync(join(files[0]!.parentPath, 'config'), 'utf8')).toContain('current-context: lifeboat')
  })
})
