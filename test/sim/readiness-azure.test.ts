import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isReady } from '../../src/cli/plan.js'
import { openSite, readRunbook } from '../../src/cli/site.js'
import { planRun, type Plan } from '../../src/engine/index.js'
import { readWorldSpec } from '../../src/sim/world/load.js'
import { serveWorld } from '../../src/sim/serve.js'
import { rulesFor, wireRule } from '../../src/steps/parts/network.js'
import type { WorldSpec } from '../../src/sim/world/spec.js'
import { data100, root, temporaryFolder } from '../helpers/cli.js'
import { subscription } from '../helpers/steps.js'
import { data100World, oldGroup } from '../helpers/world.js'

/** Something that would make a planned write fail, and what the plan must say of it. */
interface Impediment {
  readonly name: string
  /** Changes to the world of data100. */
  readonly world?: (spec: WorldSpec) => Partial<WorldSpec>
  /** Changes to its runbook, as a text. */
  readonly runbook?: (text: string) => string
  /** Also its hubs: helm, which has tests of its own, takes more than all the rest of a plan. */
  readonly whole?: true
  readonly step: string
  readonly level?: 'warn'
  readonly what: RegExp
  readonly mend: RegExp
}

const zone = `/subscriptions/${subscription}/resourceGroups/datahub-dns/providers/Microsoft.Network/dnszones/datahub.berkeley.edu`
const oldGroupId = `/subscriptions/${subscription}/resourceGroups/${oldGroup}`
const everything = { actions: ['*'], notActions: [] }

const impediments: readonly Impediment[] = [
  {
    name: 'a new server in a subnet without a way out',
    runbook: (text) => text.replace(/ +natGateway: .*\n/, ''),
    step: 'nfs',
    what: /network makes the subnet nfs without a NAT gateway, so a new server could not fetch ZFS and NFS/,
    mend: /`natGateway: \{ subnets: \[…\] \}` of azure\/network/,
  },
  {
    name: 'SSH open to everybody',
    runbook: (text) => text.replace('sshFrom: 10.250.0.0/24', 'sshFrom: 0.0.0.0/0'),
    step: 'network',
    what: /sshFrom is 0\.0\.0\.0\/0: anybody could try to log in/,
    mend: /jump host’s own address/,
  },
  {
    name: 'no public address left for the way out',
    world: () => ({ quota: { StandardSkuPublicIpAddresses: 2 } }),
    step: 'network',
    what: /Standard public addresses in westus2: 1 wanted by network, 0 left/,
    mend: /az network list-usages/,
  },
  {
    name: 'no right to make clusters',
    world: () => ({ permissions: [{ actions: ['*'], notActions: ['Microsoft.ContainerService/*'] }] }),
    step: 'cluster',
    what: /no right to Microsoft\.ContainerService\/managedClusters\/write, .*listClusterUserCredential\/action in this subscription/,
    mend: /az role assignment create/,
  },
  {
    name: 'no right to move out of the old group',
    world: () => ({ permissions: [{ actions: ['*'], notActions: ['Microsoft.Resources/subscriptions/resourceGroups/moveResources/action'] }] }),
    step: 'move',
    what: /no right to .*moveResources\/action at MC_data100-19s_data100-19s_westus2/,
    mend: /az role assignment create/,
  },
  {
    name: 'no right to write the zone’s records',
    whole: true,
    world: () => ({
      permissions: [
        { actions: ['*'], notActions: ['Microsoft.Network/dnszones/*'] },
        { scope: `/subscriptions/${subscription}/resourceGroups/somewhere-else`, ...everything },
      ],
    }),
    step: 'prod-dns',
    what: /no right to Microsoft\.Network\/dnszones\/A\/write at .*datahub\.berkeley\.edu/,
    mend: /az role assignment create/,
  },
  {
    name: 'no right to assign roles: Contributor has none',
    world: () => ({ permissions: [{ actions: ['*'], notActions: ['Microsoft.Authorization/*/write', 'Microsoft.Authorization/*/delete'] }] }),
    step: 'subnet-rights',
    what: /no right to Microsoft\.Authorization\/roleAssignments\/write/,
    mend: /Contributor leaves this out.*az role assignment create --role 'Network Contributor'/,
  },
  {
    name: 'no right to assign an identity',
    world: () => ({ permissions: [{ actions: ['*'], notActions: ['Microsoft.ManagedIdentity/userAssignedIdentities/assign/action'] }] }),
    step: 'cluster',
    what: /no right to Microsoft\.ManagedIdentity\/userAssignedIdentities\/assign\/action/,
    mend: /az role assignment create/,
  },
  {
    name: 'a lock of the whole subscription',
    world: () => ({ locks: [{ name: 'freeze', level: 'ReadOnly' }] }),
    step: 'group-nfs',
    what: /management lock \/subscriptions\/[^/]+\/providers\/Microsoft\.Authorization\/locks\/freeze \(ReadOnly\)/,
    mend: /az lock delete/,
  },
  {
    name: 'a lock of the DNS zone',
    whole: true,
    world: () => ({ locks: [{ name: 'frozen-zone', scope: zone, level: 'ReadOnly' }] }),
    step: 'staging-dns',
    what: /frozen-zone \(ReadOnly\) refuses these changes/,
    mend: /az lock delete/,
  },
  {
    name: 'a lock against deletion of the group that disks move out of',
    world: () => ({ locks: [{ name: 'keep', scope: oldGroupId, level: 'CanNotDelete' }] }),
    step: 'move',
    what: /keep \(CanNotDelete\) keeps disks from being moved/,
    mend: /az lock delete/,
  },
  {
    name: 'vCPUs for the new cluster or for the new server, and not for both beside the old ones',
    world: () => ({ quota: { standardESv3Family: 72 + 64 + 7 } }),
    step: 'nfs',
    what: /vCPUs of standardESv3Family in westus2: 64 wanted by cluster and 8 by nfs, 71 left/,
    mend: /Of 143 there are 72 in use, the old cluster’s too/,
  },
  {
    name: 'too few vCPUs in the whole region',
    world: () => ({ quota: { cores: 100 } }),
    step: 'cluster',
    what: /vCPUs in westus2: 64 wanted by cluster and 8 by nfs, 28 left/,
    mend: /az vm list-usage --location westus2/,
  },
  {
    name: 'a size that the region does not have',
    runbook: (text) => text.replaceAll('Standard_E8s_v3', 'Standard_M8ms'),
    step: 'nfs',
    what: /westus2 has no machines of the size Standard_M8ms/,
    mend: /az vm list-skus --location westus2/,
  },
  {
    name: 'a size of the old cluster that this subscription cannot have any more',
    world: () => ({ unavailableSizes: [{ size: 'Standard_E16s_v3' }] }),
    step: 'cluster',
    what: /cannot have Standard_E16s_v3 in westus2 \(NotAvailableForSubscription\)/,
    mend: /have support lift the restriction/,
  },
  {
    name: 'a size that cannot be had in the server’s zone',
    world: () => ({ unavailableSizes: [{ size: 'Standard_E8s_v3', zones: ['2'] }] }),
    runbook: (text) => text.replace('      size: "${{ vars.serverSize }}"\n', '      size: "${{ vars.serverSize }}"\n      zone: "2"\n'),
    step: 'nfs',
    what: /Standard_E8s_v3 cannot be had in zone 2 of westus2, only in zones 1, 3/,
    mend: /Choose another zone/,
  },
  {
    name: 'a new server that takes fewer disks than there are',
    world: ({ resources }) => ({ resources: [...resources, ...[2, 3, 4].map((at) => dataDisk(at))] }),
    runbook: (text) =>
      text
        .replace('serverSize: Standard_E8s_v3', 'serverSize: Standard_E2s_v3')
        .replace('    - { name: nfsserver_DataDisk_1, lun: 1 }', [1, 2, 3, 4].map((at) => `    - { name: nfsserver_DataDisk_${at}, lun: ${at} }`).join('\n')),
    step: 'attach',
    what: /a Standard_E2s_v3 takes 4 data disks, and 5 are to be attached/,
    mend: /MaxDataDiskCount/,
  },
  {
    name: 'premium disks for a server without premium storage',
    runbook: (text) => text.replace('serverSize: Standard_E8s_v3', 'serverSize: Standard_E8_v3'),
    step: 'attach',
    what: /the disk nfsserver_DataDisk_0 is Premium_LRS, and a Standard_E8_v3 takes no premium disks/,
    mend: /Standard_E8s_v3/,
  },
  {
    name: 'disks of a zone for a server without one',
    world: ({ resources }) => ({ resources: resources.map((one) => (/DataDisk_1$/.test(one.id) ? { ...one, zones: ['3'] } : one)) }),
    step: 'attach',
    what: /the disk nfsserver_DataDisk_1 is in zone 3, and the machine that is to have it in no zone/,
    mend: /Make the machine in zone 3/,
  },
  {
    name: 'a disk that is encrypted by way of a key vault',
    world: ({ resources }) => ({
      resources: resources.map((one) => (/DataDisk_0$/.test(one.id) ? { ...one, properties: { ...one.properties, encryptionSettingsCollection: { enabled: true } } } : one)),
    }),
    step: 'move',
    what: /the disk nfsserver_DataDisk_0 is encrypted by way of a key vault/,
    mend: /drop the step that moves it, and attach it from there/,
  },
  {
    name: 'a clock that is ten minutes off',
    world: () => ({ clockAhead: 600_000 }),
    step: '(site)',
    what: /the clock of this machine is \d+ min.* behind the cloud’s/,
    mend: /timedatectl set-ntp true/,
  },
  {
    name: 'a TTL that the first step cannot lower early enough',
    whole: true,
    world: ({ zones }) => ({ zones: zones.map((one) => ({ ...one, records: one.records.map((record) => ({ ...record, ttl: 86_400 })) })) }),
    step: 'prod-dns',
    level: 'warn',
    what: /TTL of data100\.datahub\.berkeley\.edu is 86400 s now: unless it is lowered 24 h before/,
    mend: /or do it now if that is less than 24 h ahead/,
  },
  {
    name: 'CAA records that keep the issuer out',
    whole: true,
    world: ({ zones }) => ({
      zones: zones.map((one) => ({ ...one, records: [...one.records, { name: '@', type: 'CAA', ttl: 300, values: ['0 issue "digicert.com"'] }] })),
    }),
    step: 'prod-dns',
    level: 'warn',
    what: /CAA records of datahub\.berkeley\.edu let only digicert\.com issue/,
    mend: /letsencrypt\.org/,
  },
  {
    name: 'a policy that denies a location to groups',
    world: () => ({ policies: [{ name: 'only-east', type: 'Microsoft.Resources/subscriptions/resourceGroups', locations: ['eastus'] }] }),
    step: 'group-nfs',
    what: /policy only-east denies resourceGroups data100-nfs, by its type, location/,
    mend: /az policy exemption create --policy-assignment .*only-east/,
  },
  {
    name: 'a policy that wants a tag on the server',
    world: () => ({ policies: [{ name: 'owners', type: 'Microsoft.Compute/virtualMachines', tag: 'owner' }] }),
    step: 'nfs',
    what: /policy owners denies virtualMachines nfsserver, by its type, tags\['owner'\]/,
    mend: /az policy exemption create/,
  },
  {
    name: 'a login that may not ask for policies',
    world: () => ({ providers: { 'Microsoft.PolicyInsights': 'NotRegistered' } }),
    step: 'network',
    level: 'warn',
    what: /Azure Policy would deny cannot be asked/,
    mend: /Microsoft\.PolicyInsights/,
  },
  {
    name: 'a resource provider that is not registered',
    world: () => ({ providers: { 'Microsoft.ContainerService': 'NotRegistered' } }),
    step: 'cluster',
    what: /has not registered the resource provider Microsoft\.ContainerService \(NotRegistered\)/,
    mend: /az provider register --namespace Microsoft\.ContainerService --wait/,
  },
  {
    name: 'a Kubernetes version that is not on offer any more',
    world: () => ({ kubernetesVersions: ['1.34.1', '1.35.0'] }),
    step: 'cluster',
    what: /Kubernetes 1\.33\.2 is not on offer in westus2/,
    mend: /1\.34\.1, 1\.35\.0/,
  },
  {
    name: 'a node group that an earlier cluster left behind',
    world: ({ groups }) => ({ groups: [...groups, { name: 'data100-19s-2', tags: {} }, { name: 'MC_data100-19s-2_data100-19s-2_westus2', tags: {} }] }),
    step: 'cluster',
    what: /the resource group MC_data100-19s-2_data100-19s-2_westus2 exists, and AKS wants to make it/,
    mend: /az resource list --resource-group MC_/,
  },
  {
    name: 'the server’s address, taken by somebody in a network that is there already',
    world: ({ groups, resources }) => ({ groups: [...groups, { name: 'data100-network', tags: {} }], resources: [...resources, ...networkWithGuest] }),
    step: 'nfs',
    what: /the address 10\.240\.0\.7 is taken in the subnet nfs/,
    mend: /az network nic list.*Free are 10\.240\.0\.4/,
  },
  {
    name: 'the server’s address, outside of the subnet that the plan makes',
    runbook: (text) => text.replace('serverAddress: 10.240.0.7', 'serverAddress: 10.240.0.16'),
    step: 'nfs',
    what: /^the address 10\.240\.0\.16 is not in the subnet nfs \(10\.240\.0\.0\/28\)$/,
    mend: /Write an address of that subnet into the runbook/,
  },
]

function dataDisk(at: number): WorldSpec['resources'][number] {
  const sku = { name: 'Premium_LRS', tier: 'Premium' }
  const properties = { diskSizeGB: 1024, creationData: { createOption: 'Empty' } }
  return { id: `${oldGroupId}/providers/Microsoft.Compute/disks/nfsserver_DataDisk_${at}`, tags: {}, sku, properties }
}

/** The network as the runbook wants it, with an interface of somebody else's at the server's address. */
const inNetworks = (type: string, name: string): string => `/subscriptions/${subscription}/resourceGroups/data100-network/providers/Microsoft.Network/${type}/${name}`
const networkWithGuest: WorldSpec['resources'] = [
  {
    id: inNetworks('networkSecurityGroups', 'data100-nfs'),
    tags: {},
    properties: {
      securityRules: Object.entries(rulesFor({ securityGroup: { subnet: 'nfs', nfsFrom: '10.240.16.0/20', sshFrom: '10.250.0.0/24' } })).map(([name, rule]) => ({ ...wireRule(name, rule) })),
    },
  },
  {
    id: inNetworks('virtualNetworks', 'data100'),
    tags: {},
    properties: {
      addressSpace: { addressPrefixes: ['10.240.0.0/16'] },
      subnets: [
        { name: 'nodes', properties: { addressPrefix: '10.240.16.0/20' } },
        {
          name: 'nfs',
          properties: {
            addressPrefix: '10.240.0.0/28',
            networkSecurityGroup: { id: inNetworks('networkSecurityGroups', 'data100-nfs') },
            natGateway: { id: inNetworks('natGateways', 'data100-nat') },
          },
        },
      ],
    },
  },
  {
    id: inNetworks('natGateways', 'data100-nat'),
    tags: {},
    sku: { name: 'Standard' },
    properties: { publicIpAddresses: [{ id: inNetworks('publicIPAddresses', 'data100-nat') }] },
  },
  {
    id: inNetworks('publicIPAddresses', 'data100-nat'),
    tags: {},
    sku: { name: 'Standard' },
    properties: { publicIPAllocationMethod: 'Static', ipAddress: '198.51.100.12' },
  },
  {
    id: inNetworks('networkInterfaces', 'somebody'),
    tags: {},
    properties: {
      ipConfigurations: [
        { name: 'a', properties: { privateIPAllocationMethod: 'Static', privateIPAddress: '10.240.0.7', subnet: { id: `${inNetworks('virtualNetworks', 'data100')}/subnets/nfs` } } },
      ],
    },
  },
]

const upToExports = (text: string): string => text.slice(0, text.indexOf('\n  - id: staging\n') + 1).replace(/^rehearsal:\n( .*\n)+/m, '')

async function planOf({ world, runbook, whole }: Pick<Impediment, 'world' | 'runbook' | 'whole'>): Promise<{ plan: Plan; written: unknown[] }> {
  const spec = await readWorldSpec(data100World)
  const served = await serveWorld({ world: { ...spec, ...world?.(spec) }, speed: 120, stateDir: temporaryFolder() })
  try {
    const folder = temporaryFolder()
    const all = readFileSync(data100, 'utf8').replaceAll('../fixtures', join(root, 'fixtures'))
    const text = whole === true ? all : upToExports(all)
    const path = join(folder, 'data100.yaml')
    writeFileSync(path, runbook?.(text) ?? text)
    const { runbook: read, registry, diagnostics } = await readRunbook(path)
    if (read === undefined) throw new Error(JSON.stringify(diagnostics))
    const site = await openSite(read, registry, served.cloudPath, { PATH: process.env['PATH'] })
    const plan = await planRun({
      runbook: site.runbook,
      registry: site.registry,
      clock: site.clock,
      env: site.env,
      secrets: site.secrets(folder),
      doors: site.doors(folder, 'plan'),
      site: site.checks(site.doors(folder, 'plan'), folder),
      signal: new AbortController().signal,
      pollEveryMs: site.cloud.pollEveryMs,
    })
    return { plan, written: served.world.requests.filter(({ writes }) => writes) }
  } finally {
    await served.stop()
  }
}

describe('the plan of data100', () => {
  it('finds nothing where nothing is in the way, and writes nothing', async () => {
    const { plan, written } = await planOf({ whole: true })
    const stops = plan.findings.filter(({ level }) => level === 'stop')
    expect([plan.failures, stops, written]).toEqual([[], [], []])
    // The TTLs in force are long, but the first step of this runbook lowers them early enough; what kubectl is here is not data100's.
    expect(plan.findings.filter(({ what }) => !what.includes('kubectl'))).toEqual([])
  })

  it.each(impediments)('finds $name before anything is written', async ({ step, level = 'stop', what, mend, ...planted }) => {
    const { plan, written } = await planOf(planted)
    const concerns = (steps: readonly string[]): boolean => (step === '(site)' ? steps.length === 0 : steps.includes(step))
    expect(plan.findings.filter(({ steps }) => concerns(steps))).toContainEqual({
      steps: (step === '(site)' ? [] : expect.arrayContaining([step])) as string[],
      level,
      what: expect.stringMatching(what) as string,
      mend: expect.stringMatching(mend) as string,
    })
    // A plan that is not ready ends `plan` and `run` with exit code 4.
    expect([plan.failures, written, isReady(plan)]).toEqual([[], [], level === 'warn'])
  })
})
