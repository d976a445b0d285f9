import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AnyStep, Clock } from '../../src/contract/index.js'
import type { AzureDoor } from '../../src/platform/azure/door.js'
import { hostFactsReader, openAzure } from '../../src/platform/azure/open.js'
import { AzureSession } from '../../src/platform/azure/session.js'
import { cloudSchema, type Cloud } from '../../src/platform/cloud/schema.js'
import type { DnsDoor } from '../../src/platform/dns/door.js'
import { unreachable } from '../../src/platform/dns/resolver.js'
import type { Platform } from '../../src/platform/platform.js'
import type { SshDoor } from '../../src/platform/ssh/door.js'
import { LifeboatError } from '../../src/contract/index.js'
import { toldBy } from '../../src/sim/dns/answers.js'
import { allows } from '../../src/sim/world/firewall.js'
import { writeSecret } from './leaks.js'
import { anyRequestOf } from './requests.js'
import { Driven } from './steps.js'
import { putNetwork, startTestWorld, type TestWorld } from './world.js'

/** A world whose time passes while production code waits, and the real Azure door to it. SSH and names come from the world's own model. */
export interface AzureWorld extends AsyncDisposable {
  readonly test: TestWorld
  readonly cloud: Cloud
  readonly clock: Clock
  readonly azure: AzureDoor
  readonly doors: Platform
  session(changes?: Partial<Cloud>): AzureSession
  driven(module: AnyStep<Platform>, inputs: Record<string, unknown>): Driven
  /** Path of a private key file that the world's machines can be made with. */
  readonly key: string
}

/** A network as data100's runbook wants it. */
export const networkInputs = {
  resourceGroup: 'data100-network',
  location: 'westus2',
  name: 'data100',
  addressSpace: ['10.240.0.0/16'],
  subnets: { nodes: '10.240.16.0/20', nfs: '10.240.0.0/28' },
  securityGroup: { subnet: 'nfs', nfsFrom: '10.240.16.0/20', sshFrom: '10.250.0.0/24' },
}

/** Time of the world as production code sees it: whoever sleeps lets it pass. */
export function clockOn(test: TestWorld): Clock {
  const pass = async (ms: number, signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted()
    // What is under way on loopback goes first.
    await new Promise((resolve) => setImmediate(resolve))
    test.clock.advance(ms)
    signal?.throwIfAborted()
  }
  const now = (): Date => new Date(test.clock.nowMs())
  return { now, realNow: now, sleep: pass, sleepReal: pass, toReal: (ms) => ms }
}

export async function azureWorld(): Promise<AzureWorld> {
  const test = await startTestWorld()
  const clock = clockOn(test)
  const folder = mkdtempSync(join(tmpdir(), 'lifeboat-azure-'))
  const secret = writeSecret(join(folder, 'secret'), test.arm.client.secret)
  writeFileSync(join(folder, 'ca.pem'), test.ca)
  const pair = [...test.world.keys.values()][0]
  const key = writeSecret(join(folder, 'key'), pair?.private ?? '')
  const cloud = cloudSchema.parse({
    name: 'test',
    resourceManager: test.arm.origin,
    authority: test.arm.origin,
    tenant: test.world.spec.tenant,
    instanceDiscovery: false,
    certificateAuthority: join(folder, 'ca.pem'),
    credential: { kind: 'client-secret', clientId: test.arm.client.id, secret: { file: secret } },
  })
  const session = (changes: Partial<Cloud> = {}): AzureSession =>
    new AzureSession({ cloud: { ...cloud, ...changes }, subscription: test.subscription, clock, environment: {} })
  const own = session()
  const azure = openAzure(own, hostFactsReader(own), { run: 'r1', runbook: 'data100', step: 's1' })
  const unused = anyRequestOf<Pick<Platform, 'helm' | 'kube' | 'http' | 'command'>>(['helm', 'kube', 'http', 'command'])
  // A cluster's preflight looks which kubectl there is; nobody here runs it.
  const kube: Platform['kube'] = { ...unused.kube, version: async () => ({ path: '/usr/bin/kubectl', version: 'v1.33.0' }) }
  const doors: Platform = { ...unused, kube, azure, clock, ssh: modelSsh(test), dns: modelDns(test) }
  return {
    test,
    cloud,
    clock,
    azure,
    doors,
    session,
    driven: (module, inputs) => new Driven(module, doors, clock, inputs),
    key,
    [Symbol.asyncDispose]: () => test.stop(),
  }
}

/** The same with what a new cluster needs: its group `data100-19s-2`, and a subnet for its nodes. */
export async function clusterSite(): Promise<AzureWorld & { readonly subnet: string }> {
  const world = await azureWorld()
  world.test.addGroup('data100-19s-2')
  return { ...world, subnet: `${await putNetwork(world.test)}/subnets/nodes` }
}

/** SSH by the world's own model of its hosts, without a connection: the real client has tests of its own. */
function modelSsh({ world }: TestWorld): SshDoor {
  const read: SshDoor['read'] = ({ machine }) => {
    const host = world.host(machine)
    const jump = world.spec.jumpHosts.find(({ network }) => network === host?.network)?.address
    if (host === undefined || !world.answers(machine) || (jump !== undefined && !allows(world, machine, jump, 22))) {
      throw new LifeboatError('ssh.unreachable', 'connection refused', { retry: {} })
    }
    const isReady = world.clock.nowMs() >= host.readyFromMs
    return Promise.resolve({ exitCode: isReady ? 0 : 1, stdout: isReady ? 'status: done\nzfs: loaded\n' : 'status: running\n', stderr: '' })
  }
  return {
    read: async (...asked) => read(...asked),
    write: async (host) => read(host, []),
    networks: () => world.spec.jumpHosts.map(({ network }) => network),
    tryJump: async () => undefined,
    version: async () => ({ path: '/usr/bin/ssh', version: '9.2' }),
  }
}

/** What the zone's name servers have published, without asking over the network. */
function modelDns({ world }: TestWorld): DnsDoor {
  return {
    async ask(server, name, type) {
      const spec = world.spec.zones.find(({ id }) => name.endsWith(id.split('/').at(-1) ?? ''))
      const zone = spec?.id.split('/').at(-1) ?? ''
      const relative = name === zone ? '@' : name.slice(0, -zone.length - 1)
      const lost = world.lostNameServers.get(server)
      if (lost !== undefined && lost.tells === undefined) throw unreachable(server, undefined)
      const told = lost?.tells ?? (spec && toldBy(world, spec, server))
      const found = told?.get(`${zone}/${relative}/${type}`.toLowerCase())
      return { values: [...(found?.values ?? [])].sort(), ttlSeconds: found?.ttl ?? 0 }
    },
    caa: async () => [],
  }
}
