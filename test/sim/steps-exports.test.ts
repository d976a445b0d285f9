import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Change } from '../../src/contract/index.js'
import { backwards } from '../../src/engine/undo.js'
import type { Host } from '../../src/sim/world/model.js'
import { nfsExports } from '../../src/steps/nfs-exports.js'
import { served, type Served } from '../helpers/served.js'
import { doorsTo, Driven, subscription } from '../helpers/steps.js'

const machine = `/subscriptions/${subscription}/resourceGroups/MC_data100-19s_data100-19s_westus2/providers/Microsoft.Compute/virtualMachines/nfsserver`
const wanted = { path: '/pool0/homes', clients: '10.9.0.0/16', options: 'rw,sync,no_subtree_check' }
const written = '/etc/exports.d/lifeboat.exports'

describe('nfs/exports that are not served any more, or not yet', () => {
  let world: Served & AsyncDisposable
  let opened: Awaited<ReturnType<typeof doorsTo>>
  let host: Host
  beforeEach(async () => {
    world = await served()
    opened = await doorsTo(world.cloudPath)
    host = world.world.host(machine)!
  })
  afterEach(() => world[Symbol.asyncDispose]())

  const step = (): Driven => {
    const login = { machine, user: 'hubadmin', sshKey: opened.env('LIFEBOAT_SSH_KEY') }
    return new Driven(nfsExports, opened.doors, opened.clock, { ...login, exports: [wanted] })
  }
  const back = (one: Driven, made: readonly Change[]) => backwards(one.module, made).observe(one.inputs, one.ctx)

  /** How they may come to be so; what is exported then. */
  const ways: readonly (readonly [how: string, act: () => void])[] = [
    ['written, and a life ended there', () => Object.assign(host, { services: { ...host.services, nfs: false }, exports: [] })],
    ['exported, and a life ended before NFS was started', () => Object.assign(host, { services: { ...host.services, nfs: false } })],
    [
      'served to nobody after a boot, since the pool is away',
      () => {
        // A new server has no exports of its own.
        host.files.set('/etc/exports', '')
        host.exports = host.exports.filter(({ clients }) => clients === wanted.clients)
        Object.assign(world.world.pools[0]!, { importedOn: [] })
      },
    ],
  ]

  it.each(ways)('are still this run’s to take away: %s', async (_, act) => {
    const exports = step()
    const made = await exports.make()
    act()
    expect((await exports.see()).state).toBe('drifted')
    expect(await back(exports, made)).toMatchObject({ state: 'drifted', seen: made })
    await exports.apply(exports.module.invert(made) as Change[])
    expect((await back(exports, made)).state).toBe('converged')
    expect(host.files.has(written)).toBe(false)
  })

  it.each(ways.slice(0, 2))('and were found so by another run, which serves them, are taken away by its undo: %s', async (_, act) => {
    await step().make()
    act()
    const exports = step()
    const made = await exports.make()
    expect(made).toMatchObject([{ action: 'create', before: { active: false } }])
    expect(await back(exports, made)).toMatchObject({ state: 'drifted', seen: made })
    await exports.apply(exports.module.invert(made) as Change[])
    expect((await back(exports, made)).state).toBe('converged')
    expect(host.files.has(written)).toBe(false)
  })

  describe('that stand in the server’s own file, while NFS is stopped', () => {
    const own = '/pool0/homes 10.9.0.0/16(rw,sync,no_subtree_check)\n'
    beforeEach(() => {
      host.files.set('/etc/exports', own)
      Object.assign(host, { services: { ...host.services, nfs: false }, exports: [] })
    })
    const putBack = (one: Driven, made: readonly Change[]) => one.apply(one.module.invert(made) as Change[])

    it('are served, and left there with NFS stopped by the undo', async () => {
      const exports = step()
      const made = await exports.make()
      // As a plan shows it that could not look yet: nothing comes as a surprise.
      expect(made).toMatchObject([{ resource: 'nfs exports', action: 'create', before: { active: false, own: true } }])
      expect(host.services.nfs).toBe(true)
      expect(await back(exports, made)).toMatchObject({ state: 'drifted', seen: made })
      await putBack(exports, made)
      expect((await back(exports, made)).state).toBe('converged')
      expect([host.services.nfs, host.files.get('/etc/exports')]).toEqual([false, own])
    })

    it('are so too where somebody has changed that file meanwhile', async () => {
      const exports = step()
      const made = await exports.make()
      host.files.set('/etc/exports', '')
      await putBack(exports, made)
      expect((await back(exports, made)).state).toBe('converged')
    })

    it('are back once NFS is stopped, where a journal knows nothing of that file', async () => {
      const exports = step()
      const made = (await exports.make()).map(({ before: _before, ...change }) => change)
      host.services.nfs = false
      expect((await back(exports, made)).state).toBe('converged')
    })
  })

  it('are somebody else’s once their options are others', async () => {
    const exports = step()
    const made = await exports.make()
    host.files.set(written, '/pool0/homes 10.9.0.0/16(ro)\n')
    host.exports = host.exports.map((one) => (one.clients === wanted.clients ? { ...one, options: 'ro,sync,no_subtree_check' } : one))
    expect(await back(exports, made)).toMatchObject({ state: 'conflict' })
  })

  it('leave alone what others have written beside them, and are taken away alone', async () => {
    const other = '# of another pool\n/pool0 10.8.0.0/16(ro,no_subtree_check)\n/pool0/homes 10.7.0.0/16(rw,no_subtree_check)\n'
    host.files.set(written, `${other}/pool0/homes 10.9.0.0/16(ro) 10.6.0.0/16(ro)\n`)
    const exports = step()
    const made = await exports.make()
    expect((await exports.see()).state).toBe('converged')
    const kept = `${other}/pool0/homes 10.6.0.0/16(ro)\n`
    expect(host.files.get(written)).toBe(`${kept}/pool0/homes 10.9.0.0/16(rw,sync,no_subtree_check,mountpoint)\n`)
    const clients = () => host.exports.map((one) => one.clients).sort()
    expect(clients()).toEqual(['10.0.0.0/8', '10.6.0.0/16', '10.7.0.0/16', '10.8.0.0/16', '10.9.0.0/16'])

    await exports.apply(exports.module.invert(made) as Change[])
    expect((await back(exports, made)).state).toBe('converged')
    expect(host.files.get(written)).toBe(kept)
    expect(clients()).toEqual(['10.0.0.0/8', '10.6.0.0/16', '10.7.0.0/16', '10.8.0.0/16'])
  })

  it('are taken away too where a later life of the run was to export to others', async () => {
    const first = step()
    const made = await first.make()
    const later = new Driven(nfsExports, opened.doors, opened.clock, { ...first.inputs, exports: [{ ...wanted, clients: '10.5.0.0/16' }] })
    await later.make()
    await later.apply(later.module.invert(made) as Change[])
    expect(host.files.has(written)).toBe(false)
    expect((await back(later, made)).state).toBe('converged')
  })

  it('take back with them what an update has added, and only that', async () => {
    const second = { ...wanted, clients: '10.5.0.0/16' }
    const login = { machine, user: 'hubadmin', sshKey: opened.env('LIFEBOAT_SSH_KEY') }
    host.files.set(written, '/pool0/homes 10.9.0.0/16(ro,no_subtree_check)\n')
    host.files.set('/etc/exports', '')
    host.exports = [{ ...wanted, options: 'ro,no_subtree_check' }]
    const exports = new Driven(nfsExports, opened.doors, opened.clock, { ...login, exports: [wanted, second] })
    const made = await exports.make()
    expect(made).toMatchObject([{ action: 'update' }])
    await exports.apply(exports.module.invert(made) as Change[])
    expect(host.files.get(written)).toMatch(/^# Written by lifeboat\.\n\/pool0\/homes 10\.9\.0\.0\/16\(\S*\bro\b\S*\)\n$/)
  })
})
