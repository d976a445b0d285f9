import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Finding } from '../../src/contract/index.js'
import { backwards } from '../../src/engine/undo.js'
import { dataDisksOf } from '../../src/sim/world/world.js'
import { attachDisks } from '../../src/steps/azure-attach-disks.js'
import { zfsImportPool } from '../../src/steps/zfs-import-pool.js'
import { azureWorld, type AzureWorld } from '../helpers/azure.js'
import { Driven } from '../helpers/steps.js'
import { fenceAndDetach, oldDisks, oldGroup, putMachine } from '../helpers/world.js'

const disks = [0, 1].map((lun) => ({ name: `nfsserver_DataDisk_${lun}`, lun }))

/** An undo has posted the detach, and its process is gone; the detach goes on (A26, A83). */
describe('disks that a machine is letting go of', () => {
  let world: AzureWorld
  let machine = ''
  beforeEach(async () => {
    world = await azureWorld()
    machine = await putMachine(world.test)
    await fenceAndDetach(world.test)
    await (await world.azure.machines.attach(machine, oldDisks(world.test).map((id, lun) => ({ id, lun })))).done
  })
  afterEach(() => world[Symbol.asyncDispose]())

  const attach = (): Driven => world.driven(attachDisks, { machine, resourceGroup: oldGroup, disks })
  const letGo = (): Promise<unknown> => {
    world.test.faults.plantInOperation({ operation: 'detach', times: 1, durationMs: 45 * 60_000 })
    return world.test.send('POST', `${machine}/attachDetachDataDisks`, { dataDisksToDetach: oldDisks(world.test).slice(0, 1).map((diskId) => ({ diskId })) })
  }
  const unproven = async (): Promise<string[]> => {
    const found = (await attach().see()) as { readonly outputs?: { readonly disks: unknown } }
    const ids = await Promise.all(oldDisks(world.test).map((id) => world.azure.disks.get(id)))
    const named = disks.map((disk, at) => ({ ...disk, id: ids[at]?.id, uniqueId: ids[at]?.uniqueId }))
    const pool = { name: 'pool0', guid: '9464217329115420731', devices: 2 }
    const step = world.driven(zfsImportPool, { machine, user: 'hubadmin', sshKey: '/nowhere', pool, disks: found.outputs?.disks ?? named })
    const findings = (await step.module.preflight([], step.inputs, step.ctx)) as readonly Finding[]
    return findings.map(({ what }) => what).filter((what) => !what.includes('/nowhere'))
  }

  it('are neither attached for a run that comes to them, nor any proof for an import, and are attached again afterwards', async () => {
    expect(await unproven()).toEqual([])
    await letGo()
    expect(await attach().see()).toEqual({ state: 'in-flight', what: 'data100-nfs/nfsserver is letting go of nfsserver_DataDisk_0' })
    expect(await unproven()).toEqual(['nfsserver_DataDisk_0 is being detached from data100-nfs/nfsserver'])
    world.test.clock.advance(50 * 60_000)
    expect(await attach().see()).toMatchObject({ state: 'drifted', seen: { missing: ['nfsserver_DataDisk_0'] } })
    await attach().make()
    expect(await attach().see()).toMatchObject({ state: 'converged' })
    expect(await unproven()).toEqual([])
  })

  it('are there as before once the machine was deallocated, which gives the detach up', async () => {
    await letGo()
    await (await world.azure.machines.deallocate(machine)).done
    expect(await attach().see()).toMatchObject({ state: 'converged' })
    expect(await unproven()).toEqual([])
  })

  it('are waited for by the way back that has sent the detach, which is over then', async () => {
    const changes = disks.map(({ name, lun }) => ({ resource: `disk ${name}`, action: 'update', before: { attachedTo: null }, after: { attachedTo: 'data100-nfs/nfsserver', lun } }) as const)
    const back = new Driven(backwards(attach().module, changes.slice(0, 1)), world.doors, world.clock, attach().given)
    expect(await back.see()).toMatchObject({ state: 'drifted' })
    await letGo()
    expect(await back.see()).toMatchObject({ state: 'in-flight', seen: changes.slice(0, 1) })
    world.test.clock.advance(50 * 60_000)
    expect(await back.see()).toMatchObject({ state: 'converged' })
  })

  it('are a matter for a person where nothing is at work on the machine and Azure still calls them leaving', async () => {
    Object.assign(dataDisksOf(world.test.world.resource(machine)!)[0]!, { toBeDetached: true })
    expect(await attach().see()).toMatchObject({ state: 'conflict', why: expect.stringContaining('nfsserver_DataDisk_0 is to be detached from') as string })
    expect(await unproven()).toEqual(['nfsserver_DataDisk_0 is being detached from data100-nfs/nfsserver'])
  })
})
