import { request as httpsRequest } from 'node:https'
import { fileURLToPath } from 'node:url'
import { ClientSecretCredential } from '@azure/identity'
import { Faults } from '../../src/sim/arm/faults.js'
import { startArm, type ArmServer, type Beside } from '../../src/sim/arm/server.js'
import { makeControl } from '../../src/sim/control/control.js'
import { makeAuthority } from '../../src/sim/pki.js'
import { virtualClock, type VirtualClock } from '../../src/sim/world/clock.js'
import { groupId, resourceId } from '../../src/sim/world/ids.js'
import { makeWorld, readWorldSpec } from '../../src/sim/world/load.js'
import type { WorldSpec } from '../../src/sim/world/spec.js'
import type { World } from '../../src/sim/world/world.js'

export const data100World = fileURLToPath(new URL('../../fixtures/worlds/data100.yaml', import.meta.url))

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Record<string, unknown>
  readonly text: string
  /** `error.code`, or the flat `code` of DNS; empty for what is no error. */
  readonly code: string
}

/** A world in this process whose time stands still until the test lets it pass, with its resource manager on loopback. */
export interface TestWorld {
  readonly world: World
  readonly clock: VirtualClock
  readonly arm: ArmServer
  readonly faults: Faults
  readonly ca: string
  readonly subscription: string
  /** One plain request, with a token; no retry, no polling. `api-version` is added. */
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
  /** The same without token and without api-version. */
  raw(method: string, path: string, body?: string, headers?: Record<string, string>): Promise<Answer>
  /** A credential and options for the real SDK clients: no retries of their own. */
  sdk(): {
    credential: ClientSecretCredential
    options: { endpoint: string; tlsOptions: { ca: string }; retryOptions: { maxRetries: number } }
  }
  /** Makes a group at once, without asking the resource manager. */
  addGroup(name: string): string
  /** Path of a group, whether there is one or not. */
  groupPath(name: string): string
  /** Id of a resource in a group. */
  id(group: string, type: string, name: string): string
  /** Reads the URL of an operation that an answer named: `azure-asyncoperation` or `location`. */
  poll(answer: Answer, header?: 'azure-asyncoperation' | 'location'): Promise<Answer>
  stop(): Promise<void>
}

/** Starts the world of data100, or one changed by `change`. */
export async function startTestWorld(change: (spec: WorldSpec) => WorldSpec = (spec) => spec): Promise<TestWorld> {
  const spec = change(await readWorldSpec(data100World))
  const clock = virtualClock(Date.parse(spec.epoch))
  const world = makeWorld(spec, clock)
  const authority = makeAuthority('Lifeboat test world', Date.now())
  const faults = new Faults(world)
  const control = makeControl({ world, faults, stop: () => undefined })
  const beside: Beside = (method, path, _query, body) => Promise.resolve(control(method, path, body))
  const arm = await startArm(world, { authority, faults, beside })
  const { subscription, tenant } = spec
  const raw = (method: string, path: string, body?: string, headers: Record<string, string> = {}): Promise<Answer> =>
    exchange(arm.origin + path, authority.pem, method, body, headers)
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: arm.client.id, client_secret: arm.client.secret })
  const login = await raw('POST', `/${tenant}/oauth2/v2.0/token`, form.toString())
  const authorization = `Bearer ${String(login.body['access_token'])}`
  const send: TestWorld['send'] = (method, path, body, headers = {}) => {
    const versioned = path.includes('api-version=') ? path : `${path}${path.includes('?') ? '&' : '?'}api-version=2025-01-01`
    return raw(method, versioned, body === undefined ? undefined : JSON.stringify(body), { authorization, ...headers })
  }
  return {
    world,
    clock,
    arm,
    faults,
    ca: authority.pem,
    subscription,
    send,
    raw,
    sdk: () => ({
      credential: new ClientSecretCredential(tenant, arm.client.id, arm.client.secret, {
        authorityHost: arm.origin,
        disableInstanceDiscovery: true,
        ...{ tlsOptions: { ca: authority.pem } },
      }),
      options: { endpoint: arm.origin, tlsOptions: { ca: authority.pem }, retryOptions: { maxRetries: 0 } },
    }),
    addGroup(name) {
      const id = groupId(subscription, name)
      world.groups.set(name.toLowerCase(), {
        id,
        name,
        location: spec.location,
        tags: {},
        provisioningState: 'Succeeded',
        locks: new Set(),
      })
      return id
    },
    groupPath: (name) => groupId(subscription, name),
    id: (group, type, name) => resourceId(subscription, group, type, name),
    poll: (answer, header = 'azure-asyncoperation') => {
      const url = new URL(answer.headers[header] ?? '')
      return send('GET', url.pathname + url.search)
    },
    stop: () => arm.stop(),
  }
}

function exchange(url: string, ca: string, method: string, body: string | undefined, headers: Record<string, string>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    // The path is passed apart, because the URL class would tidy what a test wants to send as it is.
    const { hostname, port, origin } = new URL(url)
    const request = httpsRequest({ hostname, port, path: url.slice(origin.length), method, headers, ca, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('error', reject)
      response.on('end', () => {
        const parsed = parse(text)
        const error = parsed['error']
        const code = typeof error === 'object' && error !== null ? (error as { code?: unknown }).code : parsed['code']
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers as Record<string, string>,
          body: parsed,
          text,
          code: typeof code === 'string' ? code : '',
        })
      })
    })
    request.on('error', reject)
    request.end(body)
  })
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return {}
  }
}

/** Waits, without a timer, until something that happens on loopback has happened. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 200_000; turn += 1) {
    if (condition()) return
    await new Promise((resolve) => setImmediate(resolve))
  }
  throw new Error('what the test waits for did not happen')
}

/** `properties` of an answer's body. */
export function properties(answer: Answer): Record<string, unknown> {
  return (answer.body['properties'] ?? {}) as Record<string, unknown>
}

// What the tests of the resource manager use of the world of data100.
export const oldGroup = 'MC_data100-19s_data100-19s_westus2'
export const networkType = 'Microsoft.Network/virtualNetworks'
export const machineType = 'Microsoft.Compute/virtualMachines'
export const diskType = 'Microsoft.Compute/disks'
export const clusterType = 'Microsoft.ContainerService/managedClusters'

/** A cluster definition that the world takes. */
export function clusterBody(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    location: 'westus2',
    identity: { type: 'SystemAssigned' },
    properties: {
      kubernetesVersion: '1.33.2',
      dnsPrefix: 'data100-19s-2',
      agentPoolProfiles: [{ name: 'nodepool1', mode: 'System', count: 2, vmSize: 'Standard_E16s_v3' }],
      ...changes,
    },
  }
}

/** A machine definition that the world takes; `nic` is the interface's id. */
export function machineBodyFor(nic: string, cloudInit: string, publicKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA test'): Record<string, unknown> {
  return {
    location: 'westus2',
    properties: {
      hardwareProfile: { vmSize: 'Standard_E8s_v3' },
      storageProfile: {
        imageReference: { publisher: 'Canonical', offer: 'ubuntu-24_04-lts', sku: 'server', version: 'latest' },
        osDisk: { createOption: 'FromImage' },
      },
      osProfile: {
        computerName: 'nfsserver',
        adminUsername: 'hubadmin',
        customData: Buffer.from(cloudInit).toString('base64'),
        linuxConfiguration: {
          disablePasswordAuthentication: true,
          ssh: { publicKeys: [{ path: '/home/hubadmin/.ssh/authorized_keys', keyData: publicKey }] },
        },
      },
      networkProfile: { networkInterfaces: [{ id: nic }] },
    },
  }
}

export const storageCloudInit = '#cloud-config\npackages: [zfsutils-linux, nfs-kernel-server]\n'

/** Puts the new network (subnets `nfs` and `nodes`) and waits for it. Answers its id. */
export async function putNetwork(test: TestWorld): Promise<string> {
  test.addGroup('data100-network')
  const id = test.id('data100-network', networkType, 'data100')
  const subnets = [
    { name: 'nfs', properties: { addressPrefix: '10.240.0.0/28', defaultOutboundAccess: true } },
    { name: 'nodes', properties: { addressPrefix: '10.240.16.0/20' } },
  ]
  await test.send('PUT', id, { location: 'westus2', properties: { addressSpace: { addressPrefixes: ['10.240.0.0/16'] }, subnets } })
  test.clock.advance(test.world.durationOf('network'))
  return id
}

/** Puts an interface with a static address in the subnet `nfs`. */
export function putInterface(test: TestWorld, network: string, address: string, name = 'nfs-nic'): Promise<Answer> {
  if (!test.world.group('data100-nfs')) test.addGroup('data100-nfs')
  const id = test.id('data100-nfs', 'Microsoft.Network/networkInterfaces', name)
  const place = { subnet: { id: `${network}/subnets/nfs` }, privateIPAllocationMethod: 'Static', privateIPAddress: address }
  return test.send('PUT', id, { location: 'westus2', properties: { ipConfigurations: [{ name: 'ipconfig1', properties: place }] } })
}

/** A new machine `nfsserver` in `data100-nfs`, made and settled, its first boot still going on. Answers its id. */
export async function putMachine(test: TestWorld, cloudInit = storageCloudInit): Promise<string> {
  const network = await putNetwork(test)
  const nic = await putInterface(test, network, '10.240.0.7')
  test.clock.advance(test.world.durationOf('interface'))
  const id = test.id('data100-nfs', machineType, 'nfsserver')
  await test.send('PUT', id, machineBodyFor(String(nic.body['id']), cloudInit))
  test.clock.advance(test.world.durationOf('vm create') + test.world.durationOf('read lag'))
  return id
}

/** The old server's data disks, wherever they are in the old group. */
export function oldDisks(test: TestWorld, group = oldGroup): string[] {
  return [0, 1].map((at) => test.id(group, diskType, `nfsserver_DataDisk_${at}`))
}

/** Exports the pool on the old server as a good fence would, and detaches its disks. */
export async function fenceAndDetach(test: TestWorld): Promise<void> {
  const pool = test.world.pools[0]
  if (pool) {
    Object.assign(pool, { importedOn: [], exported: true })
    for (const dataset of pool.datasets) dataset.mounted = false
  }
  const machine = test.id(oldGroup, machineType, 'nfsserver')
  await test.send('POST', `${machine}/attachDetachDataDisks`, { dataDisksToDetach: oldDisks(test).map((diskId) => ({ diskId })) })
  test.clock.advance(test.world.durationOf('detach'))
}
