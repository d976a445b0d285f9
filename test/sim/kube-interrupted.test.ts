import { expect, test } from 'vitest'
import { servedCluster, versionedImage, webDeployment, writeChart, type ServedCluster } from '../helpers/kube.js'

const web = webDeployment({ image: versionedImage, spec: '  progressDeadlineSeconds: 3600' })

interface Begun extends ServedCluster {
  readonly args: readonly string[]
  readonly status: () => Promise<string>
  /** Until helm has applied the workload and waits: the moment to break it off. */
  readonly workloadWritten: () => Promise<void>
}

/** A cluster whose first pods are not ready until the test says so, and how helm is called on it. */
async function begun(): Promise<Begun> {
  const served = await servedCluster({ readyAfterMs: () => 60_000, speed: 30 })
  const chart = writeChart(served.folder, 'web', { 'web.yaml': web })
  return {
    ...served,
    args: ['upgrade', '--install', 'web', chart, '-n', 'web', '--create-namespace', '--wait', '--timeout', '60s'],
    async status() {
      const { stdout } = await served.helm('status', 'web', '-n', 'web', '-o', 'json')
      return (JSON.parse(stdout) as { info: { status: string } }).info.status
    },
    async workloadWritten() {
      const seen = served.requests.length
      await served.until(() => served.requests.slice(seen).some(({ method, path }) => method === 'PATCH' && path.endsWith('/deployments/web')))
    },
  }
}

test('K7: helm killed in an install leaves pending-install, the next is refused, and without that secret it goes on', async () => {
  const { beginHelm, helm, kubectl, args, status, workloadWritten, until, cluster } = await begun()
  const { child, ended } = beginHelm(...args)
  await workloadWritten()
  child.kill('SIGKILL')
  await ended
  expect(await status()).toBe('pending-install')
  const next = await helm(...args)
  expect(next.code).toBe(1)
  expect(next.stderr).toContain('another operation (install/upgrade/rollback) is in progress')
  await until(() => cluster.objects('Pod').length === 1)
  const [pod] = cluster.objects('Pod')
  expect((await kubectl('delete', 'secret', 'sh.helm.release.v1.web.v1', '-n', 'web')).code).toBe(0)
  expect((await helm(...args)).code).toBe(0)
  expect(await status()).toBe('deployed')
  // What was made was adopted, not made again.
  expect(cluster.objects('Pod').map(({ metadata }) => metadata.uid)).toEqual([pod?.metadata.uid])
})

test('K7: helm told to end in an install leaves failed, and the next one works', async () => {
  const { beginHelm, helm, args, status, workloadWritten } = await begun()
  const { child, ended } = beginHelm(...args)
  await workloadWritten()
  child.kill('SIGTERM')
  expect((await ended).code).toBe(1)
  expect(await status()).toBe('failed')
  expect((await helm(...args)).code).toBe(0)
})

test('K7: helm killed in an upgrade leaves pending-upgrade, from which a rollback leads out', async () => {
  const { beginHelm, helm, args, status, workloadWritten } = await begun()
  expect((await helm(...args)).code).toBe(0)
  const { child, ended } = beginHelm(...args, '--set', 'version=2')
  await workloadWritten()
  child.kill('SIGKILL')
  await ended
  expect(await status()).toBe('pending-upgrade')
  expect((await helm(...args)).stderr).toContain('another operation')
  expect((await helm('rollback', 'web', '1', '-n', 'web', '--wait', '--timeout', '60s')).code).toBe(0)
  expect(await status()).toBe('deployed')
})
