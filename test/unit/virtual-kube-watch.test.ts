import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import type { KubeCluster } from '../../src/sim/kube/cluster.js'
import { virtualClock, type VirtualClock } from '../../src/sim/world/clock.js'
import { KubeClient } from '../../src/virtual/programs/kube-client.js'
import type { Surroundings } from '../../src/virtual/programs/program.js'
import { temporaryFolder } from '../helpers/cli.js'
import { clusterToken, clusterWhere } from '../helpers/kube-server.js'

const maps = '/api/v1/namespaces/default/configmaps'
let clock: VirtualClock
let kube: KubeCluster
let isAlive: boolean
let told: string[]
let end: () => void

/** As another client does it. */
function send(method: string, name: string): void {
  const headers = { authorization: `Bearer ${clusterToken}`, 'content-type': 'application/json' }
  const body = method === 'POST' ? JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } }) : ''
  kube.call({ method, url: method === 'POST' ? maps : `${maps}/${name}`, headers, body: Buffer.from(body) })
}

/** Back after ten seconds; this happens before the watch has asked again. */
function whileAway(act: () => void): void {
  kube.goAway()
  clock.advance(10_000)
  kube.comeBack()
  act()
}

beforeEach(() => {
  clock = virtualClock(Date.parse('2019-02-25T19:34:00Z'))
  kube = clusterWhere({ mountable: true }, { clock })
  const config = join(temporaryFolder(), 'config')
  const cluster = { server: 'https://c.hcp.westus2.azmk8s.io:443' }
  writeFileSync(config, JSON.stringify({ clusters: [{ name: 'c', cluster }], users: [{ name: 'u', user: { token: clusterToken } }] }))
  isAlive = true
  const after = (ms: number, act: () => void): (() => void) => clock.schedule(ms, act)
  const at = { now: () => new Date(clock.nowMs()), after, alive: () => isAlive, sender: { by: 'x', program: 'helm 1' } }
  told = []
  for (const name of ['stays', 'goes']) send('POST', name)
  const client = KubeClient.open(at as unknown as Surroundings, () => kube, config, 'Helm/4')
  rmSync(config)
  end = client.watch(maps, (type, { metadata }) => told.push(`${type} ${metadata.name}`))
})

it('a watch that was cut off is told what has come and gone meanwhile, once the API server is there again', () => {
  expect(told.splice(0)).toEqual(['ADDED goes', 'ADDED stays'])
  whileAway(() => {
    send('DELETE', 'goes')
    send('POST', 'comes')
  })
  expect(told).toEqual([])
  clock.advance(1000)
  expect(told.splice(0)).toEqual(['ADDED comes', 'ADDED kube-root-ca.crt', 'ADDED stays', 'DELETED goes'])
  send('DELETE', 'stays')
  expect(told).toEqual(['DELETED stays'])
})

it.each([['given up', () => end()], ['of a program that has ended', () => void (isAlive = false)]])('a watch %s is not told of anything, nor asked for again', (_, over) => {
  whileAway(over)
  told = []
  clock.advance(60_000)
  send('DELETE', 'goes')
  expect(told).toEqual([])
})
