import { setTimeout } from 'node:timers/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import { bootHost, haltHost } from '../../src/sim/arm/hosts.js'
import { runOnHost } from '../../src/sim/hosts/shell.js'
import { whyNotServedBy } from '../../src/sim/hubs/nfs.js'
import { virtualClock, type VirtualClock } from '../../src/sim/world/clock.js'
import type { Host, Pool } from '../../src/sim/world/model.js'
import type { ShellResult } from '../../src/sim/world/shell.js'
import type { World } from '../../src/sim/world/world.js'
import { lifeboat, temporaryFolder } from '../helpers/cli.js'
import { addSecond, makeData100, moveDisks, only } from '../helpers/hosts.js'
import { served, worldState } from '../helpers/served.js'
import { cutDown, newServer, oldServer, poolSteps, serverSteps, type Edit } from '../helpers/storage-path.js'

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const homes = '/pool0/homes'
const bare = '10.0.0.0/8(rw,sync,no_subtree_check)'

describe('a machine that boots again (S22)', () => {
  let clock: VirtualClock
  let world: World
  let old: Host
  let pool: Pool
  beforeEach(() => {
    world = makeData100((epochMs) => (clock = virtualClock(epochMs)))
    old = only(world.hosts.values())
    pool = only(world.pools)
  })

  async function root(line: string, on: Host, input = ''): Promise<ShellResult> {
    const result = runOnHost(world, on, { user: 'root', stdin: () => Promise.resolve(input) }, line)
    for (let step = 0; step < 4; step += 1) {
      await settle()
      clock.advance(60_000)
    }
    return result
  }
  /** As Azure's maintenance does it, or a power cut. */
  const reboot = (on: Host): void => {
    haltHost(world, on)
    bootHost(world, on)
    clock.advance(world.durationOf('boot'))
  }
  /** The pool's own server has let it go, and this one has imported and exported it. */
  async function handOver(line: string): Promise<Host> {
    await root('systemctl stop nfs-server && zpool export pool0', old)
    const second = addSecond(world)
    moveDisks(world, old, second)
    const folders = await root('zpool import -N -d /dev/disk/azure/scsi1 -o cachefile=none pool0 && zfs mount -a && mkdir -p /etc/exports.d', second)
    expect(folders).toMatchObject({ exitCode: 0 })
    await root('tee /etc/exports.d/x.exports', second, `${line}\n`)
    await root('exportfs -ra && systemctl enable --now nfs-server', second)
    expect(whyNotServedBy(world, second, homes)).toBeUndefined()
    return second
  }

  it('has its pool again and serves from it, if it is one that it remembers', () => {
    reboot(old)
    expect(pool.importedOn).toEqual([old.machine])
    expect(whyNotServedBy(world, old, homes)).toBeUndefined()
  })

  it('serves an empty folder where it does not remember the pool, and a naive client has exported the path', async () => {
    const second = await handOver(`${homes} ${bare}`)
    reboot(second)
    expect(pool.importedOn).toEqual([])
    expect((await root('systemctl is-active nfs-server && exportfs', second)).stdout).toContain(homes)
    expect(whyNotServedBy(world, second, homes)).toContain('serves an empty folder of its system disk')
  })

  it.each(['mp', 'mountpoint', 'mp=/pool0/homes', 'mountpoint=/pool0'])('keeps it back with %s, until it is mounted again', async (option) => {
    const second = await handOver(`${homes} ${bare.replace(')', `,${option})`)}`)
    reboot(second)
    expect((await root('exportfs', second)).stdout).toContain(homes)
    expect(whyNotServedBy(world, second, homes)).toContain('keeps /pool0/homes back')
    await root('zpool import -N -d /dev/disk/azure/scsi1 -o cachefile=none pool0 && zfs mount -a', second)
    expect(whyNotServedBy(world, second, homes)).toBeUndefined()
  })

  it('starts nothing that is not enabled', async () => {
    const second = await handOver(`${homes} ${bare}`)
    await root('systemctl disable nfs-server', second)
    reboot(second)
    expect((await root('systemctl is-active nfs-server', second)).stdout).toBe('inactive\n')
    expect((await root('exportfs', second)).stdout).toBe('')
  })

  it('remembers neither a pool that it has exported nor one that is to be forgotten; an import without that word it does', async () => {
    await root('systemctl stop nfs-server && zpool export pool0', old)
    expect((await root('cat /etc/zfs/zpool.cache', old)).exitCode).toBe(1)
    reboot(old)
    expect(pool.importedOn).toEqual([])
    await root('zpool import -o cachefile=none pool0', old)
    reboot(old)
    expect(pool.importedOn).toEqual([])
    await root('systemctl stop nfs-server && zpool import pool0', old)
    reboot(old)
    expect(pool.importedOn).toEqual([old.machine])
  })

  it('does not have a pool again whose disks are gone, nor one that another has had since', async () => {
    haltHost(world, old)
    const second = addSecond(world)
    moveDisks(world, old, second)
    bootHost(world, old)
    expect(pool.importedOn).toEqual([])
    await root('zpool import -f -o cachefile=none pool0', second)
    haltHost(world, second)
    moveDisks(world, second, old)
    reboot(old)
    expect([pool.importedOn, world.violations]).toEqual([[], []])
  })

  describe('with half a mirror', () => {
    /** Switched off by whoever took one of its disks to another server, who has nothing of the other. */
    const halved = (): Host => {
      haltHost(world, old)
      old.power = 'deallocated'
      const second = addSecond(world, { power: 'running' })
      moveDisks(world, old, second, 1)
      return second
    }
    const profileOf = ({ machine }: Host) => world.resource(machine)!.properties['storageProfile'] as { dataDisks: unknown[] }
    const bootOld = (): void => {
      old.power = 'running'
      bootHost(world, old)
      clock.advance(world.durationOf('boot'))
    }

    it('imports it degraded, and serves from it', () => {
      halved()
      bootOld()
      expect([pool.importedOn, pool.health]).toEqual([[old.machine], 'DEGRADED'])
      expect(whyNotServedBy(world, old, homes)).toBeUndefined()
      expect(world.violations).toEqual([])
    })

    it('has it although another has imported the other half meanwhile, of which its own knows nothing: both write, and the world says so', async () => {
      const second = halved()
      await root('zpool import -f -N -d /dev/disk/azure/scsi1 -o cachefile=none pool0', second)
      expect([pool.importedOn, world.violations]).toEqual([[second.machine], []])
      bootOld()
      expect(pool.importedOn).toEqual([second.machine, old.machine])
      expect(world.violations).toEqual([expect.stringContaining('at once')])
    })

    it('does not have it again once the half that was left behind is beside the other, which knows better', async () => {
      const disks = profileOf(old).dataDisks
      const second = halved()
      await root('zpool import -f -N -d /dev/disk/azure/scsi1 -o cachefile=none pool0', second)
      haltHost(world, second)
      profileOf(second).dataDisks = []
      profileOf(old).dataDisks = disks
      bootOld()
      expect([pool.importedOn, world.violations]).toEqual([[], []])
    })
  })

  it.each([
    ['its stripe lacks a disk', () => void (Object.assign(pool, { layout: 'stripe' }), moveDisks(world, old, addSecond(world), 1))],
    ['it uses what this host does not know', () => void (pool.features = ['blake3'])],
    ['its last state cannot be read', () => void (pool.damage = { seconds: 5 })],
  ])('does not have its pool again where %s', (_, change) => {
    haltHost(world, old)
    change()
    bootHost(world, old)
    expect([pool.importedOn, pool.datasets.some(({ mounted }) => mounted)]).toEqual([[], false])
  })

  it('mounts what mounts by itself, and no more (S23)', () => {
    const [first, second] = pool.datasets
    first!.properties['canmount'] = 'noauto'
    pool.datasets.push(...['none', 'legacy'].map((mountpoint) => ({ ...structuredClone(second!), name: `pool0/${mountpoint}`, mountpoint })))
    reboot(old)
    expect(pool.datasets.filter(({ mounted }) => mounted).map(({ name }) => name)).toEqual(['pool0/homes'])
  })

  it('does not remember a pool that was imported for reading only', async () => {
    await root('systemctl stop nfs-server && zpool export pool0 && zpool import -o readonly=on pool0', old)
    expect(pool.importedOn).toEqual([old.machine])
    reboot(old)
    expect(pool.importedOn).toEqual([])
  })
})

describe('a reboot after a failover', () => {
  it('of the new server keeps hubs waiting, and the same command serves them again, weeks later; undone, the old one has its pool again at every boot', async () => {
    await using at = await served()
    const { world } = at
    // Copies of the failover are of another day soon.
    const impatient: Edit = ({ steps }) => {
      for (const step of steps) if (step.id === 'snapshots') (step as { with?: Record<string, unknown> }).with!['notOlderThan'] = '2m'
    }
    const runbook = cutDown(temporaryFolder(), [...serverSteps, ...poolSteps], 'storage', impatient)
    const flags = ['--yes', '--json', '--state-dir', temporaryFolder()]
    const run = () => lifeboat(['run', runbook, '--cloud', at.cloudPath, '--confirm=storage', ...flags])
    const whyNot = (machine: string): string | undefined => whyNotServedBy(world, world.host(machine)!, homes)
    /** And up again. */
    const rebooted = async (machine: string): Promise<void> => {
      const host = world.host(machine)!
      haltHost(world, host)
      bootHost(world, host)
      while (!world.answers(machine)) await setTimeout(20)
    }
    const first = run()
    expect((await first.ended).code, (await first.ended).stderr).toBe(0)
    expect(whyNot(newServer)).toBeUndefined()
    const made = (await worldState(at)).snapshots

    await rebooted(newServer)
    expect(whyNot(newServer)).toMatch(/keeps .* back/)
    await setTimeout(1500)
    const second = run()
    expect((await second.ended).code, (await second.ended).stderr).toBe(0)
    expect(second.events.flatMap((event) => (event.type === 'step.verified' && event.changes > 0 ? [event.step] : []))).toEqual(['import'])
    expect(whyNot(newServer)).toBeUndefined()
    expect((await worldState(at)).snapshots).toEqual(made)

    // Another run has worked there since; but it has only gone on from the first.
    const undo = await lifeboat(['undo', String(first.events[0]?.run), '--accept-changes', '--confirm=storage', ...flags]).ended
    expect(undo.code, undo.stderr).toBe(0)
    expect(whyNot(oldServer)).toBeUndefined()
    await rebooted(oldServer)
    expect(whyNot(oldServer)).toBeUndefined()
    expect((await worldState(at)).violations).toEqual([])
  })
})
