import { request } from 'node:https'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { clusterServers } from '../../src/sim/kube-servers.js'
import { KubeRoom } from '../../src/sim/kube-room.js'
import { makeAuthority } from '../../src/sim/pki.js'
import type { Host } from '../../src/sim/world/model.js'
import { moveDisks } from '../helpers/hosts.js'
import { clusterBody, clusterType, networkType, putMachine, startTestWorld, until, type TestWorld } from '../helpers/world.js'

let at: TestWorld
let room: KubeRoom
const authority = makeAuthority('firewall test', Date.now())

beforeEach(async () => {
  at = await startTestWorld()
  room = new KubeRoom(at.world, clusterServers(at.world, authority))
})
afterEach(async () => {
  await room.stop()
  await at.stop()
})

const nodes = '10.240.16.0/20'

/** The new server, serving its homes, in a subnet that this security group guards. Answers the server's own network. */
async function serverBehind(nfsFrom: string): Promise<string> {
  const machine = await putMachine(at)
  const { world } = at
  const host = world.host(machine) as Host
  host.services.nfs = true
  host.exports.push({ path: '/pool0/homes', clients: nodes, options: 'rw' })
  moveDisks(world, world.host(world.pools[0]!.importedOn[0]!)!, host)
  Object.assign(world.pools[0]!, { importedOn: [machine], exported: false })
  const guard = at.id('data100-network', 'Microsoft.Network/networkSecurityGroups', 'nfs')
  const network = at.id('data100-network', networkType, 'data100')
  await at.send('PUT', guard, { location: 'westus2', properties: { securityRules: rulesFor(nfsFrom) } })
  await at.send('PUT', `${network}/subnets/nfs`, { properties: { addressPrefix: '10.240.0.0/28', networkSecurityGroup: { id: guard } } })
  at.clock.advance(60_000)
  return network
}

/** As an operator writes them who closes everything else. */
function rulesFor(nfsFrom: string): unknown[] {
  const rule = (name: string, priority: number, access: string, sourceAddressPrefix: string, destinationPortRange: string): unknown => ({
    name,
    properties: { priority, access, direction: 'Inbound', protocol: 'Tcp', sourceAddressPrefix, sourcePortRange: '*', destinationAddressPrefix: '*', destinationPortRange },
  })
  return [rule('nfs', 100, 'Allow', nfsFrom, '2049'), rule('rest', 4000, 'Deny', '*', '*')]
}

/** A cluster in the subnet of the nodes; answers a way to call its API. */
async function clusterIn(network: string): Promise<(method: string, path: string, body?: unknown) => Promise<Record<string, unknown>>> {
  at.addGroup('g')
  const id = at.id('g', clusterType, 'c')
  const agentPoolProfiles = [{ name: 'nodes', mode: 'System', count: 2, vmSize: 'Standard_E16s_v3', vnetSubnetID: `${network}/subnets/nodes` }]
  await at.send('PUT', id, clusterBody({ agentPoolProfiles }))
  at.clock.advance(at.world.durationOf('cluster create'))
  const route = `${String(at.world.resource(id)?.properties['fqdn'])}:443`
  await until(() => at.world.routes.has(route))
  const headers = { authorization: `Bearer ${at.world.clusterToken(id)}`, 'content-type': 'application/json' }
  return (method, path, body) =>
    new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: at.world.routes.get(route), method, path, headers, rejectUnauthorized: false, agent: false }
      const call = request(options, (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (part: string) => (text += part))
        answer.on('end', () => resolve(JSON.parse(text) as Record<string, unknown>))
      })
      call.on('error', reject)
      call.end(body === undefined ? undefined : JSON.stringify(body))
    })
}

const pods = '/api/v1/namespaces/default/pods'
const pod = {
  ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'hub' } },
  spec: { containers: [{ name: 'hub', image: 'hub' }], volumes: [{ name: 'homes', nfs: { server: '10.240.0.7', path: '/pool0/homes' } }] },
}

test.each([
  ['lets in the nodes', nodes, 'Running'],
  ['forgets the nodes', '10.240.0.0/28', 'Pending'],
  ['lets in one node of two', '10.240.16.4/32', 'Pending'],
])('A39: a hub behind a server whose security group %s', async (_what, nfsFrom, phase) => {
  const call = await clusterIn(await serverBehind(nfsFrom))
  // The namespace's ServiceAccount comes a moment after its API server.
  at.clock.advance(60_000)
  expect(await call('POST', pods, pod)).toMatchObject({ kind: 'Pod' })
  for (let minute = 0; minute < 10; minute += 1) at.clock.advance(60_000)
  expect(await call('GET', `${pods}/hub`)).toMatchObject({ status: { phase } })
})

test('K28: a pod whose server stops NFS does not end before it serves again', async () => {
  const call = await clusterIn(await serverBehind(nodes))
  at.clock.advance(60_000)
  await call('POST', pods, pod)
  for (let minute = 0; minute < 10; minute += 1) at.clock.advance(60_000)
  const server = [...at.world.hosts.values()].find(({ machine }) => machine === at.world.pools[0]!.importedOn[0])!
  server.services.nfs = false
  await call('DELETE', `${pods}/hub`)
  at.clock.advance(120_000)
  expect(await call('GET', `${pods}/hub`)).toMatchObject({ metadata: { deletionTimestamp: expect.any(String) as string } })
  server.services.nfs = true
  at.clock.advance(11_000)
  expect(await call('GET', `${pods}/hub`)).toMatchObject({ reason: 'NotFound' })
})
