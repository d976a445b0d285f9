import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { chartServer, packaged } from '../helpers/chart-server.js'
import { data100, lifeboat, temporaryFolder } from '../helpers/cli.js'
import { lifeboatHere } from '../helpers/cli-here.js'
import { webDeployment, writeChart } from '../helpers/kube.js'
import { planted } from '../helpers/leaks.js'
import { isInstalling, served, worldWhere } from '../helpers/served.js'
import { cloudFile, quickWorld } from '../helpers/worlds.js'

const token = planted('of-the-proxy')
const web = (image: string): string =>
  webDeployment({ image, metadata: 'annotations: { token: {{ .Values.proxy.secretToken | quote }} }', spec: '  progressDeadlineSeconds: 3600' })
const archive = (image: string): string => packaged(writeChart(temporaryFolder(), 'web', { 'web.yaml': web(image) }, 'proxy: {}\n'))

/** data100 up to its cluster, and one release on it. */
function runbookWith(release: Record<string, unknown>): string {
  const path = join(temporaryFolder(), 'one.yaml')
  const { apiVersion, azure, vars, steps } = parse(readFileSync(data100, 'utf8')) as { apiVersion: string; azure: unknown; vars: unknown; steps: { id: string }[] }
  const kept = steps.filter(({ id }) => ['group-network', 'group-cluster', 'network', 'identity', 'subnet-rights', 'cluster'].includes(id))
  const web = { id: 'web', uses: 'helm/release', with: { cluster: '${{ steps.cluster.outputs.id }}', namespace: 'web', release: 'web', ...release } }
  writeFileSync(path, JSON.stringify({ apiVersion, name: 'one', azure, vars, steps: [...kept, web] }))
  return path
}

test('a run pins the chart that it pulls, a resume with other contents is refused, and no secret is ever told', async () => {
  const world = await served(quickWorld(), 240)
  try {
    const charts = await chartServer()
    const first = archive('web:1')
    charts.offer('web', '0.1.0', first)
    const cloud = cloudFile(world.cloudPath, ({ env }) => void (env['PROXY_TOKEN'] = token))
    const chart = { oci: charts.oci('web'), version: '0.1.0', ca: charts.ca }
    const runbook = runbookWith({ chart, secrets: { 'proxy.secretToken': { env: 'PROXY_TOKEN' } } })
    const state = temporaryFolder()
    const flags = ['--state-dir', state, '--yes', '--json']
    const planned = await lifeboatHere(['plan', runbook, '--cloud', cloud, '--state-dir', state])
    expect(planned.code, planned.stdout + planned.stderr).toBe(0)
    expect(planned.stdout).toContain('keyed:')

    const run = lifeboat(['run', runbook, '--cloud', cloud, '--confirm=one', ...flags])
    await worldWhere(world, isInstalling('web'))
    run.child.kill('SIGKILL')
    const killed = await run.ended

    charts.offer('web', '0.1.0', archive('web:2'))
    const refused = await lifeboatHere(['resume', ...flags])
    expect(refused.code, refused.stderr).toBe(4)
    expect(refused.stderr).toContain(`${charts.oci('web')}:0.1.0: other contents`)

    charts.offer('web', '0.1.0', first)
    const resumed = await lifeboat(['resume', ...flags]).ended
    expect(resumed.code, resumed.stderr).toBe(0)
    const said = [planned, killed, refused, resumed].map(({ stdout, stderr }) => stdout + stderr).join('\n')
    expect(said).not.toContain(token)
    for (const entry of readdirSync(state, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())) {
      expect(readFileSync(join(entry.parentPath, entry.name), 'latin1'), entry.name).not.toContain(token)
    }
    expect(statSync(join(state, 'digest.key')).mode & 0o777).toBe(0o600)
  } finally {
    await world[Symbol.asyncDispose]()
  }
})
