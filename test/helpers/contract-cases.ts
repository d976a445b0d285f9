import type { AnyStep } from '../../src/contract/index.js'
import type { Platform } from '../../src/platform/platform.js'
import { registry } from '../../src/steps/registry.js'
import type { AzureWorld } from './azure.js'
import { root } from './cli.js'
import { aboutFile, inAzure, onCluster, withCommands } from './contract-worlds.js'
import { cluster } from './kube-server.js'
import type { ContractCase, Contracted } from './step-contract.js'
import { Driven } from './steps.js'
import { clusterType, fenceAndDetach, machineType, networkType, oldDisks, oldGroup, putMachine } from './world.js'

type Given = Readonly<Record<string, unknown>>

export function moduleOf(uses: string): AnyStep<Platform> {
  const module = registry.get(uses)
  if (module === undefined) throw new TypeError(`no module ${uses}`)
  return module
}

const azure = (uses: string, prepare: (world: AzureWorld) => Given | Promise<Given>, rules: Omit<ContractCase, 'open'> = {}): ContractCase => ({
  ...rules,
  open: () => inAzure(moduleOf(uses), prepare),
})

const disks = [0, 1].map((lun) => ({ name: `nfsserver_DataDisk_${lun}`, lun }))
const pool = { name: 'pool0', guid: '9464217329115420731', devices: 2 }
const place = { location: 'westus2' }
const oldServer = ({ test }: AzureWorld): string => test.id(oldGroup, machineType, 'nfsserver')
const login = ({ key }: AzureWorld): Given => ({ user: 'hubadmin', sshKey: key })
const zoneOf = ({ test }: AzureWorld): string => test.world.spec.zones[0]!.id
const groups = ({ test }: AzureWorld, ...names: readonly string[]): void => names.forEach((name) => void test.addGroup(name))

/** Puts the network of the failover and answers with its id. */
async function networkIn(world: AzureWorld): Promise<string> {
  groups(world, 'data100-network')
  const [subnets, natGateway] = [{ nodes: '10.240.16.0/20', nfs: '10.240.0.0/28' }, { subnets: ['nfs'] }]
  const wanted = { resourceGroup: 'data100-network', ...place, name: 'data100', addressSpace: ['10.240.0.0/16'], subnets, natGateway }
  await world.driven(moduleOf('azure/network'), wanted).make()
  return world.test.id('data100-network', networkType, 'data100')
}

/** The new server, booted, with the disks of an exported pool; answers with its id. */
async function newServer({ test, clock, azure: door }: AzureWorld): Promise<string> {
  const machine = await putMachine(test)
  await fenceAndDetach(test)
  await (await door.machines.attach(machine, oldDisks(test).map((id, lun) => ({ id, lun })))).done
  await clock.sleep(30 * 60_000)
  return machine
}

/** Its disks as the step before it gives them. */
function disksIn({ test }: AzureWorld): Given[] {
  return oldDisks(test).map((id, lun) => ({ ...disks[lun], id, uniqueId: String(test.world.resource(id)?.properties['uniqueId']) }))
}

const guarded = {
  ...place,
  ...{ resourceGroup: 'data100-network', name: 'data100', addressSpace: ['10.240.0.0/16'] },
  subnets: { nodes: '10.240.16.0/20', nfs: '10.240.0.0/28' },
  securityGroup: { subnet: 'nfs', nfsFrom: '10.240.16.0/20', sshFrom: '10.250.0.0/24' },
}
const networkCase = (prepare: (world: AzureWorld) => unknown, rules: Omit<ContractCase, 'open'> = {}): ContractCase =>
  azure(
    'azure/network',
    async (world) => {
      await prepare(world)
      return guarded
    },
    { named: ['name', 'subnets', 'securityGroup'], ...rules },
  )

const clusterLike = azure(
  'azure/aks-cluster',
  async (world) => {
    groups(world, 'data100-19s-2')
    const like = world.test.id('data100-19s', clusterType, 'data100-19s')
    const subnet = `${await networkIn(world)}/subnets/nodes`
    return { ...place, resourceGroup: 'data100-19s-2', name: 'data100-19s-2', kubernetesVersion: '1.33.2', like, subnet }
  },
  { named: ['name'] },
)

const serverCase = (changes: Given): ContractCase =>
  azure(
    'azure/nfs-vm',
    async (world) => {
      groups(world, 'data100-nfs')
      const subnet = `${await networkIn(world)}/subnets/nfs`
      const machine = { resourceGroup: 'data100-nfs', name: 'nfsserver', size: 'Standard_E8s_v3', privateIp: '10.240.0.7' }
      return { ...place, ...machine, subnet, adminUser: 'hubadmin', sshKey: world.key, ...changes }
    },
    { named: ['name', 'publicIp'] },
  )

function exported({ test }: AzureWorld): void {
  for (const one of test.world.pools) Object.assign(one, { importedOn: [], exported: true })
}

async function identityIn(world: AzureWorld): Promise<Given> {
  groups(world, 'data100-19s-2')
  return { resourceGroup: 'data100-19s-2', ...place, name: 'data100-19s-2' }
}

/** A subnet, and an identity that has no right at it yet. */
async function roleIn(world: AzureWorld): Promise<Given> {
  const scope = `${await networkIn(world)}/subnets/nodes`
  const identity = world.driven(moduleOf('azure/managed-identity'), await identityIn(world))
  await identity.make()
  await world.clock.sleep(60_000)
  const seen = await identity.see()
  return { scope, principal: seen.state === 'converged' ? seen.outputs['principalId'] : undefined, role: 'Network Contributor' }
}

const homes = { path: '/pool0/homes', clients: '10.240.16.0/20', options: 'rw,no_root_squash' }

/** On the new server, with the pool imported. */
async function exportsIn(world: AzureWorld): Promise<Given> {
  const machine = await newServer(world)
  await world.driven(moduleOf('zfs/import-pool'), { machine, pool, disks: disksIn(world), ...login(world) }).make()
  return { machine, exports: [homes], ...login(world) }
}

/** As `zfs/record` leaves it. */
const recorded = { takenAt: '2019-02-25T19:40:00Z', layout: ['mirror-0 of 2'], datasets: [], exports: [], features: ['lz4_compress'] }

const recordIn = (world: AzureWorld): Given => ({ zone: zoneOf(world), name: 'data100', type: 'A', values: ['203.0.113.7'] })

const webCheck: ContractCase = {
  async open(): Promise<Contracted> {
    const certificate = { subject: 'CN=hub', issuer: 'CN=ca', validTo: '2027-01-01T00:00:00Z', trusted: true }
    let status = 503
    const at = await inAzure(moduleOf('http/check'), (world) => ({ host: 'data100.datahub.berkeley.edu', zone: zoneOf(world), path: '/hub/login', tls: 'any' }))
    const http: Platform['http'] = { get: async () => ({ status, body: '', certificate }) }
    return { ...at, doors: { ...at.doors, http }, bringAbout: async () => void (status = 200) }
  },
}

const release = {
  ...{ cluster, namespace: 'data100-prod', release: 'data100-prod', chart: `${root}/fixtures/charts/hub` },
  values: { hub: { host: 'data100.example.edu' }, nfs: { server: '10.240.0.7', path: '/pool0/homes/prod/home' } },
}

/** By `uses`, what each module is put through; a module without any fails the test of the registry. */
export const contractCases: Readonly<Record<string, Readonly<Record<string, ContractCase>>>> = {
  'azure/resource-group': { new: azure('azure/resource-group', () => ({ name: 'data100-nfs', ...place }), { named: ['name'] }) },
  'azure/network': {
    new: networkCase((world) => groups(world, 'data100-network')),
    'with a way out': azure(
      'azure/network',
      (world) => {
        groups(world, 'data100-network')
        return { ...guarded, natGateway: { subnets: ['nfs'] } }
      },
      { named: ['name', 'subnets', 'securityGroup', 'natGateway'], together: 'a subnet refers to its NAT gateway, which is made first' },
    ),
    'there without its guard': networkCase(networkIn, { together: 'a subnet refers to its security group, which is made first' }),
  },
  'azure/aks-cluster': { 'like the old one': clusterLike },
  'azure/managed-identity': { new: azure('azure/managed-identity', identityIn, { named: ['name'] }) },
  'azure/role-assignment': { 'none yet': azure('azure/role-assignment', roleIn, { named: ['role'] }) },
  'azure/nfs-vm': {
    new: serverCase({}),
    'with a public address': serverCase({ publicIp: true }),
  },
  'azure/detach-disks': {
    'both attached': azure(
      'azure/detach-disks',
      (world) => {
        exported(world)
        return { machine: oldServer(world), resourceGroup: oldGroup, disks, unlessIn: 'data100-disks' }
      },
      { named: ['disks'] },
    ),
  },
  'azure/disk-snapshots': {
    'none yet': azure(
      'azure/disk-snapshots',
      async (world) => {
        groups(world, 'data100-snapshots', 'data100-disks')
        exported(world)
        const machine = await putMachine(world.test)
        return { resourceGroup: 'data100-snapshots', disks, from: oldGroup, to: 'data100-disks', machine, pool, ...login(world) }
      },
      { named: ['disks'] },
    ),
    'none since it was recorded': azure(
      'azure/disk-snapshots',
      async (world) => {
        groups(world, 'data100-snapshots', 'data100-disks')
        exported(world)
        const machine = await putMachine(world.test)
        const wanted = { resourceGroup: 'data100-snapshots', disks, from: oldGroup, to: 'data100-disks', machine, pool, ...login(world) }
        await world.driven(moduleOf('azure/disk-snapshots'), wanted).make()
        return { ...wanted, record: recorded }
      },
      { named: ['disks'] },
    ),
  },
  'azure/move-resources': {
    'one moved already': azure(
      'azure/move-resources',
      async (world) => {
        groups(world, 'data100-disks')
        await fenceAndDetach(world.test)
        await (await world.azure.groups.move(oldGroup, 'data100-disks', oldDisks(world.test).slice(0, 1))).done
        return { from: oldGroup, to: 'data100-disks', disks }
      },
      { named: ['disks'], stops: { to: 'a group that is yet to be made holds none of the disks' } },
    ),
    'both in the source': azure(
      'azure/move-resources',
      async (world) => {
        groups(world, 'data100-disks')
        await fenceAndDetach(world.test)
        return { from: oldGroup, to: 'data100-disks', disks }
      },
      { named: ['disks'] },
    ),
  },
  'azure/attach-disks': {
    'both detached': azure(
      'azure/attach-disks',
      async (world) => {
        const machine = await putMachine(world.test)
        await fenceAndDetach(world.test)
        return { machine, resourceGroup: oldGroup, disks }
      },
      { named: ['disks'] },
    ),
  },
  'azure/release-address': {
    held: azure(
      'azure/release-address',
      async (world) => {
        const { test } = world
        groups(world, 'addresses')
        const address = test.id('addresses', 'Microsoft.Network/publicIPAddresses', 'hub')
        const loadBalancer = test.id(oldGroup, 'Microsoft.Network/loadBalancers', 'kubernetes')
        await test.send('PUT', address, { ...place, sku: { name: 'Standard' }, properties: { publicIPAllocationMethod: 'Static' } })
        const frontend = { name: 'hub', properties: { publicIPAddress: { id: address } } }
        const rule = { name: 'hub-443', properties: { frontendIPConfiguration: { id: `${loadBalancer}/frontendIPConfigurations/hub` } } }
        await test.send('PUT', loadBalancer, { ...place, properties: { frontendIPConfigurations: [frontend], loadBalancingRules: [rule] } })
        await world.clock.sleep(60_000)
        return { loadBalancer, addresses: [address] }
      },
      { named: ['addresses'] },
    ),
  },
  'azure/dns-record': {
    'other values': azure('azure/dns-record', (world) => ({ ...recordIn(world), ttl: '60s' }), { named: ['zone', 'name', 'type'] }),
    'no record yet': azure('azure/dns-record', (world) => ({ ...recordIn(world), name: 'data100-new', ttl: '60s' }), { named: ['zone', 'name', 'type'] }),
  },
  'dns/ttl': {
    long: azure('dns/ttl', (world) => ({ zone: zoneOf(world), records: [{ name: 'data100' }, { name: 'data100s' }], ttl: '60s' }), {
      named: ['zone', 'records'],
      bears: { 'dns.ask(': 'this step only prepares: a name server that cannot be asked from here does not hold up a failover' },
    }),
  },
  'dns/propagation': {
    'old values': {
      open: () =>
        inAzure(moduleOf('dns/propagation'), recordIn, async (world) => {
          await world.driven(moduleOf('azure/dns-record'), { ...recordIn(world), ttl: '60s' }).make()
        }),
    },
  },
  'helm/release': {
    'not installed': {
      open: () => onCluster(moduleOf('helm/release'), { ...release, addressFrom: { service: 'proxy-public' } }),
      named: ['namespace', 'release'],
    },
  },
  'kube/wait': {
    'for a release': {
      open: () =>
        onCluster(moduleOf('kube/wait'), { cluster, namespace: 'data100-prod', kind: 'deployment', name: 'hub', for: 'condition=Available' }, async (doors) => {
          await new Driven(moduleOf('helm/release'), doors, doors.clock, release).make()
        }),
    },
  },
  'http/check': { 'a hub that does not serve yet': webCheck },
  'nfs/fence': {
    serving: azure('nfs/fence', (world) => ({ machine: oldServer(world), pool, ...login(world) }), { named: ['pool'] }),
    'serving from disks that are to be moved': azure(
      'nfs/fence',
      (world) => ({ machine: oldServer(world), pool, unlessIn: { resourceGroup: 'data100-disks', disks }, ...login(world) }),
      { named: ['pool'] },
    ),
  },
  'zfs/record': {
    'on its old server': azure('zfs/record', (world) => ({ machine: oldServer(world), pool, ...login(world) }), {
      bears: { 'ssh.read': 'a server that does not answer leaves no record, and that is said' },
    }),
  },
  'zfs/import-pool': {
    exported: azure('zfs/import-pool', async (world) => ({ machine: await newServer(world), pool, disks: disksIn(world), ...login(world) }), { named: ['pool'] }),
    recorded: azure('zfs/import-pool', async (world) => ({ machine: await newServer(world), pool, disks: disksIn(world), record: recorded, ...login(world) }), { named: ['pool'] }),
  },
  'nfs/exports': {
    'not exported': azure('nfs/exports', exportsIn, { named: ['standing'] }),
    'stopped for a while': azure('nfs/exports', async (world) => {
      const wanted = await exportsIn(world)
      await world.driven(moduleOf('nfs/exports'), wanted).make()
      const standing = { ...wanted, standing: true }
      await world.driven(moduleOf('nfs/exports'), standing).apply([{ resource: 'nfs-server', action: 'run', after: { active: false } }])
      return standing
    }, { named: ['standing'] }),
    'exported otherwise': azure('nfs/exports', async (world) => {
      const wanted = await exportsIn(world)
      await world.driven(moduleOf('nfs/exports'), { ...wanted, exports: [{ ...homes, options: 'ro,root_squash' }] }).make()
      return wanted
    }, { named: ['standing'] }),
  },
  exec: {
    'to be done, with a way back': {
      open: () => withCommands(moduleOf('exec'), () => ({ describe: 'the news is out', observe: ['./is-there'], run: ['./announce'], inverse: ['./withdraw'] })),
      named: ['describe'],
    },
    'to be done for good': {
      open: () => withCommands(moduleOf('exec'), () => ({ describe: 'the news is out', observe: ['./is-there'], run: ['./announce'] })),
      named: ['describe'],
    },
  },
}

/** The same for modules of sites' own, by their path in `runbooks/`. */
export const siteCases: Readonly<Record<string, ContractCase>> = {
  'minimal/announce.mjs': {
    open: () => aboutFile(`${root}/runbooks/minimal/announce.mjs`, (page) => ({ page, notice: 'moving', text: 'The hub is moving.' })),
    named: ['notice'],
  },
}
