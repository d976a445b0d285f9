import { createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { LifeboatError } from '../../src/contract/index.js'
import { makeSshKey } from '../../src/sim/world/keys.js'
import { served, worldRequests, type Served } from '../helpers/served.js'
import { doorsTo, subscription } from '../helpers/steps.js'
import { readCloud, worldFile } from '../helpers/worlds.js'

const group = `/subscriptions/${subscription}/resourceGroups/MC_data100-19s_data100-19s_westus2`
const machine = `${group}/providers/Microsoft.Compute/virtualMachines/nfsserver`
const inNetworks = (type: string, name: string): string => `${group}/providers/Microsoft.Network/${type}/${name}`
const operator = '203.0.113.200'
/** One of this machine's own, and of no other test that runs beside this one. */
const publicAddress = `127.${1 + (process.pid % 250)}.${1 + ((process.pid >> 8) % 250)}.22`

let world: Served & AsyncDisposable
afterEach(() => world[Symbol.asyncDispose]())

/** The world of data100 without a jump host at the old network: its server has a public address that `sshFrom` may come to. */
async function worldWithPublicAddress(sshFrom: string): Promise<void> {
  const file = worldFile((spec) => {
    Object.assign(spec, { operatorAddress: operator })
    spec.jumpHosts.splice(0, 1)
    const rule = { priority: 100, direction: 'Inbound', access: 'Allow', protocol: 'Tcp', sourceAddressPrefix: sshFrom, destinationPortRange: '22' }
    const named = (name: string) => spec.resources.find(({ id }) => id.endsWith(`/${name}`))!
    // The subnet has a group of its own, and both have to let it in.
    named('aks-agentpool-nsg').properties['securityRules'] = [{ name: 'ssh', properties: rule }]
    const nic = named('nfsserver-nic')
    const [configuration] = nic.properties['ipConfigurations'] as { properties: Record<string, unknown> }[]
    configuration!.properties['publicIPAddress'] = { id: inNetworks('publicIPAddresses', 'nfsserver') }
    nic.properties['networkSecurityGroup'] = { id: inNetworks('networkSecurityGroups', 'operator') }
    spec.resources.push(
      { id: inNetworks('publicIPAddresses', 'nfsserver'), tags: {}, sku: { name: 'Standard' }, properties: { publicIPAllocationMethod: 'Static', ipAddress: publicAddress } },
      { id: inNetworks('networkSecurityGroups', 'operator'), tags: {}, properties: { securityRules: [{ name: 'ssh', properties: rule }] } },
    )
  })
  world = await served(file)
}

const opened = async () => {
  const { doors, env } = await doorsTo(world.cloudPath)
  return { ssh: doors.ssh, at: { machine, user: 'hubadmin', key: env('LIFEBOAT_SSH_KEY') } }
}
const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(() => undefined, (error: unknown) => (error instanceof LifeboatError ? error : undefined))
const executed = async () => (await worldRequests(world)).filter(({ door }) => door === 'ssh').map(({ path }) => path)

/** The port of SSH is the superuser's, and an sshd that listens everywhere has it already. */
const isFree = await new Promise<boolean>((resolve) => {
  const server = createServer()
  server.on('error', () => resolve(false))
  server.listen(22, publicAddress, () => server.close(() => resolve(true)))
})

describe.skipIf(!isFree && process.env['CI'] !== 'true')('the real ssh, directly to the public address of a server of the world (S18)', () => {
  it('comes to that server, where its security group lets the operator in, without any jump host', async () => {
    await worldWithPublicAddress(`${operator}/32`)
    expect(readCloud(world.cloudPath).reach.ssh).toContainEqual({ network: inNetworks('virtualNetworks', 'aks-vnet'), via: 'direct' })
    const { ssh, at } = await opened()
    expect(await ssh.read(at, ['systemctl', 'is-active', 'nfs-server'])).toMatchObject({ exitCode: 0, stdout: 'active\n' })
    expect(await executed()).toEqual([expect.stringContaining('is-active')])
  })

  it('believes nobody there who has not the key that was read for this machine', async () => {
    await worldWithPublicAddress(`${operator}/32`)
    const before = await opened()
    await before.ssh.read(before.at, ['true'])
    // From now on the control plane tells another key than the one that the server at that address goes on to show.
    Object.assign(world.world.host(machine)!, { hostKey: makeSshKey('the machine’s own') })
    const { ssh, at } = await opened()
    expect(await failure(ssh.read(at, ['systemctl', 'is-active', 'nfs-server']))).toMatchObject({ code: 'ssh.host-key' })
    expect(await executed()).toHaveLength(1)
  })

  it('hears nothing where the group lets somebody else in only, and that is unknown', async () => {
    await worldWithPublicAddress('198.51.100.0/24')
    const { ssh, at } = await opened()
    expect(await failure(ssh.read(at, ['true']))).toMatchObject({ code: 'ssh.unreachable' })
    expect(await executed()).toEqual([])
  })
})
