import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { hostShell } from '../../src/sim/hosts/shell.js'
import {
  machineBodyFor,
  machineType,
  oldGroup,
  properties,
  putInterface,
  putMachine,
  putNetwork,
  startTestWorld,
  type Answer,
  type TestWorld,
} from '../helpers/world.js'

let world: TestWorld
beforeEach(async () => {
  world = await startTestWorld()
})
afterEach(() => world.stop())

const oldMachine = (): string => world.id(oldGroup, machineType, 'nfsserver')

/** runCommand to its end; answers the message of its output, or the code of its refusal. */
async function run(machine: string, ...script: string[]): Promise<string> {
  const answer = await world.send('POST', `${machine}/runCommand`, { commandId: 'RunShellScript', script })
  if (answer.status !== 202) return answer.code
  world.clock.advance(world.world.durationOf('runCommand'))
  // The script itself runs when the time is up; its output is there at the latest in the poll after that.
  await world.poll(answer, 'location')
  const end = await world.poll(answer, 'location')
  const [first] = (end.body['value'] ?? []) as { message: string }[]
  return first?.message ?? end.code
}

/** Made, it answers SSH once it has booted, and is ready once cloud-init is through. */
function expectBoot(id: string): void {
  world.clock.advance(world.world.durationOf('boot'))
  expect(world.world.answers(id)).toBe(true)
  const host = world.world.host(id)
  expect(host?.readyFromMs).toBeGreaterThan(world.clock.nowMs())
  world.clock.advance(world.world.durationOf('first boot'))
  expect(host?.readyFromMs).toBeLessThanOrEqual(world.clock.nowMs())
  expect(world.world.operations.filter((one) => one.resource === id).map((one) => one.what)).toEqual(['vm create', 'first boot'])
}

describe('a new machine', () => {
  test('runs when Azure says so, answers SSH later, and is ready later still (A21)', async () => {
    const id = await putMachine(world)
    const power = async (): Promise<string> => JSON.stringify(properties(await world.send('GET', `${id}?$expand=instanceView`))['instanceView'])
    expect(await power()).toContain('PowerState/running')
    expect(world.world.answers(id)).toBe(false)
    expectBoot(id)
  })

  test('boots and is set up after it was made, however long that has taken (A134)', async () => {
    world.faults.plantInOperation({ operation: 'vm create', times: 1, durationMs: 60 * 60_000 })
    const id = await putMachine(world)
    const making = world.world.operations.find(({ what }) => what === 'vm create')
    world.clock.advance((making?.startedAtMs ?? 0) + 60 * 60_000 - world.clock.nowMs() - 1000)
    expect([world.world.host(id)?.power, world.world.answers(id)]).toEqual(['starting', false])
    world.clock.advance(1000)
    expect([world.world.host(id)?.power, world.world.answers(id)]).toEqual(['running', false])
    expectBoot(id)
  })

  test.each(['', '#cloud-config\npackages: [zfsutils-linux]\n', '#cloud-config\npackages: [nfs-kernel-server]\n'])(
    'is never ready without ZFS and NFS in its cloud-init: %j (A21)',
    async (cloudInit) => {
      const id = await putMachine(world, cloudInit)
      expect(world.world.host(id)?.readyFromMs).toBe(Number.POSITIVE_INFINITY)
    },
  )

  test('lets in who holds the key it was made with, stands where its interface is, and has a key of its own (A22)', async () => {
    const id = await putMachine(world)
    const host = world.world.host(id)
    expect(host).toMatchObject({ user: 'hubadmin', address: '10.240.0.7', network: world.id('data100-network', 'Microsoft.Network/virtualNetworks', 'data100') })
    expect(host?.authorizedKeys).toEqual(['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA test'])
    expect(host?.hostKey.public).not.toBe(world.world.host(oldMachine())?.hostKey.public)
    expect(host?.hostId).not.toBe(world.world.host(oldMachine())?.hostId)
  })

  test('is read back with its disks and without what it was told in secret', async () => {
    const id = await putMachine(world)
    const read = await world.send('GET', id)
    expect(read.text).not.toContain('customData')
    expect(properties(read)).toMatchObject({
      storageProfile: { dataDisks: [], osDisk: { managedDisk: { id: expect.stringContaining('nfsserver_OsDisk') as string } } },
      provisioningState: 'Succeeded',
      networkProfile: { networkInterfaces: [{ properties: { primary: true } }] },
    })
    const osDisk = world.world.ofType('Microsoft.Compute/disks').find((disk) => disk.id.includes('data100-nfs'))
    expect(osDisk).toMatchObject({ managedBy: id, properties: { diskState: 'Attached' } })
  })

  test('of the same name has another vmId', async () => {
    const id = await putMachine(world)
    const first = properties(await world.send('GET', id))['vmId']
    await world.send('DELETE', id)
    world.clock.advance(world.world.durationOf('vm delete'))
    const nic = world.id('data100-nfs', 'Microsoft.Network/networkInterfaces', 'nfs-nic')
    const again = await world.send('PUT', id, machineBodyFor(nic, ''))
    // Its disk of the first one is still there, under the same name.
    expect([again.status, again.code]).toEqual([409, 'ConflictingUserInput'])
    const osDisk = world.world.ofType('Microsoft.Compute/disks').find((disk) => disk.id.includes('data100-nfs'))
    await world.send('DELETE', osDisk?.id ?? '')
    world.clock.advance(60_000)
    const made = await world.send('PUT', id, machineBodyFor(nic, ''))
    expect(made.status).toBe(201)
    expect(properties(made)['vmId']).not.toBe(first)
  })

  test('is refused without an interface, with one that is taken, with no key or with odd custom data', async () => {
    const network = await putNetwork(world)
    const nic = String((await putInterface(world, network, '10.240.0.7')).body['id'])
    world.clock.advance(60_000)
    const id = world.id('data100-nfs', machineType, 'm')
    const put = (change: (body: { properties: Record<string, Record<string, unknown>> }) => void): Promise<Answer> => {
      const body = machineBodyFor(nic, '') as { properties: Record<string, Record<string, unknown>> }
      change(body)
      return world.send('PUT', id, body)
    }
    const refusals = [
      await put((body) => (body.properties['networkProfile'] = {})),
      await put((body) => (body.properties['networkProfile'] = { networkInterfaces: [{ id: `${nic}x` }] })),
      await put((body) => (body.properties['networkProfile'] = { networkInterfaces: [{ id: world.id(oldGroup, 'Microsoft.Network/networkInterfaces', 'nfsserver-nic') }] })),
      await put((body) => (body.properties['osProfile'] = { ...body.properties['osProfile'], linuxConfiguration: { disablePasswordAuthentication: true } })),
      await put((body) => (body.properties['osProfile'] = { ...body.properties['osProfile'], customData: '#cloud-config: plain' })),
      await put((body) => (body.properties['hardwareProfile'] = { vmSize: 'Large' })),
    ]
    expect(refusals.map(({ status, code }) => [status, code])).toEqual([
      [400, 'NetworkProfileMissing'],
      [404, 'NotFound'],
      [400, 'NicInUse'],
      [400, 'InvalidParameter'],
      [400, 'InvalidParameter'],
      [400, 'InvalidParameter'],
    ])
    expect(world.world.resource(id)).toBeUndefined()
    expect(world.world.host(id)).toBeUndefined()
  })

  test('whose making fails is there, Failed, and nobody answers in it', async () => {
    world.faults.plantInOperation({ operation: 'vm create', times: 1, fail: { code: 'AllocationFailed' } })
    const id = await putMachine(world)
    expect(properties(await world.send('GET', id))['provisioningState']).toBe('Failed')
    expect(world.world.host(id)).toBeUndefined()
    const attached = await world.send('POST', `${id}/attachDetachDataDisks`, { dataDisksToAttach: [{ diskId: 'none' }] })
    expect([attached.status, attached.code]).toEqual([409, 'OperationNotAllowed'])
    expect(attached.text).toContain('has no instance')
  })
})

describe('runCommand', () => {
  test('reads the host key of the machine that it names (A22)', async () => {
    const message = await run(oldMachine(), 'cat /etc/ssh/ssh_host_ed25519_key.pub')
    expect(message).toContain(`[stdout]\n${world.world.host(oldMachine())?.hostKey.public ?? '?'}\n`)
  })

  test('takes one script at a time (A22)', async () => {
    const body = { commandId: 'RunShellScript', script: ['echo 1'] }
    expect((await world.send('POST', `${oldMachine()}/runCommand`, body)).status).toBe(202)
    const second = await world.send('POST', `${oldMachine()}/runCommand`, body)
    expect([second.status, second.code]).toEqual([409, 'Conflict'])
  })

  test('needs a machine that runs (A22)', async () => {
    await world.send('POST', `${oldMachine()}/deallocate`)
    expect(await run(oldMachine(), 'echo 1')).toBe('OperationNotAllowed')
  })

  test('is held up by an agent that says nothing, and holds up others, until it is back or given up (A137)', async () => {
    const host = world.world.host(oldMachine())
    if (host) host.answers = false
    const body = { commandId: 'RunShellScript', script: ['echo 1'] }
    const asked = await world.send('POST', `${oldMachine()}/runCommand`, body)
    const later = async (minutes: number): Promise<unknown> => {
      world.clock.advance(minutes * 60_000)
      await world.poll(asked)
      return (await world.poll(asked)).body['status']
    }
    const [held] = world.world.operations.filter(({ what }) => what === 'runCommand')
    expect(await later(20)).toBe('InProgress')
    expect(held?.status).toBe('running')
    expect((await world.send('POST', `${oldMachine()}/runCommand`, body)).code).toBe('Conflict')
    expect(await later(10)).toBe('Failed')
    expect(held?.status).toBe('failed')
    expect(held?.durationMs).toBeGreaterThan(25 * 60_000)
    const again = await world.send('POST', `${oldMachine()}/runCommand`, body)
    world.clock.advance(60_000)
    if (host) host.answers = true
    world.clock.advance(60_000)
    await world.poll(again, 'location')
    expect(JSON.stringify((await world.poll(again, 'location')).body)).toContain('[stdout]\\n1\\n')
  })

  test.each(['silent', 'exporting its pool'])('ends with its machine, which is deleted while it is %s (A132)', async (how) => {
    const host = world.world.host(oldMachine())
    if (how === 'silent' && host) host.answers = false
    if (world.world.pools[0]) world.world.pools[0].importedOn = how === 'silent' ? [] : [oldMachine()]
    world.world.shell = hostShell(world.world)
    world.world.spec.durations['zpool export'] = 10 * 60_000
    const script = ['systemctl stop nfs-kernel-server', 'zpool export pool0']
    const asked = await world.send('POST', `${oldMachine()}/runCommand`, { commandId: 'RunShellScript', script })
    world.clock.advance(world.world.durationOf('runCommand'))
    const settle = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 5))
    await settle()
    expect(world.world.operations.some(({ what }) => what === 'zpool export')).toBe(how !== 'silent')
    await world.send('DELETE', oldMachine())
    world.clock.advance(11 * 60_000)
    await settle()
    await world.poll(asked)
    expect((await world.poll(asked)).body['status']).toBe(how === 'silent' ? 'Canceled' : 'Succeeded')
  })

  test('does not tell whether the script failed (A22)', async () => {
    expect(await run(oldMachine(), 'no-such-command')).toContain('not found')
  })

  test('runs nothing while a script is awaited for longer than its time', async () => {
    let release: () => void = () => undefined
    world.world.shell = () => new Promise((resolve) => (release = () => resolve({ exitCode: 0, stdout: 'late\n', stderr: '' })))
    const answer = await world.send('POST', `${oldMachine()}/runCommand`, { commandId: 'RunShellScript', script: ['sleep 1'] })
    world.clock.advance(world.world.durationOf('runCommand'))
    expect((await world.poll(answer)).body['status']).toBe('InProgress')
    release()
    expect((await world.poll(answer)).body['status']).toBe('Succeeded')
    expect((await world.poll(answer, 'location')).text).toContain('late')
  })
})

describe('a machine that goes down', () => {
  test('keeps its disks reserved, and its pool is in use by nobody and not exported (A27)', async () => {
    await world.send('POST', `${oldMachine()}/deallocate`)
    expect(world.world.answers(oldMachine())).toBe(false)
    world.clock.advance(world.world.durationOf('deallocate'))
    expect(world.world.host(oldMachine())).toMatchObject({ power: 'deallocated', services: { nfs: false } })
    expect(world.world.pools[0]).toMatchObject({ importedOn: [], exported: false })
    expect(world.world.violations).toEqual([])
    const disk = await world.send('GET', world.id(oldGroup, 'Microsoft.Compute/disks', 'nfsserver_DataDisk_0'))
    expect(properties(disk)['diskState']).toBe('Reserved')
  })

  test('and comes back imports its pool again, and serves it (A27)', async () => {
    await world.send('POST', `${oldMachine()}/powerOff`)
    world.clock.advance(world.world.durationOf('power off'))
    await world.send('POST', `${oldMachine()}/start`)
    world.clock.advance(world.world.durationOf('start') + world.world.durationOf('boot'))
    expect(world.world.answers(oldMachine())).toBe(true)
    expect(world.world.pools[0]?.importedOn).toEqual([oldMachine()])
    expect(world.world.host(oldMachine())?.services.nfs).toBe(true)
  })

  test('and comes back without its disks imports nothing (A27)', async () => {
    await world.send('POST', `${oldMachine()}/deallocate`)
    world.clock.advance(world.world.durationOf('deallocate'))
    const disks = [0, 1].map((at) => ({ diskId: world.id(oldGroup, 'Microsoft.Compute/disks', `nfsserver_DataDisk_${at}`) }))
    await world.send('POST', `${oldMachine()}/attachDetachDataDisks`, { dataDisksToDetach: disks })
    world.clock.advance(world.world.durationOf('detach'))
    await world.send('POST', `${oldMachine()}/start`)
    world.clock.advance(world.world.durationOf('start'))
    expect(world.world.pools[0]?.importedOn).toEqual([])
    expect(world.world.violations).toEqual([])
  })
})
