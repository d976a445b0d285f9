import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LifeboatError } from '../../src/contract/index.js'
import type { Platform } from '../../src/platform/platform.js'
import { nfsFence } from '../../src/steps/nfs-fence.js'
import { zfsRecord } from '../../src/steps/zfs-record.js'
import { served, type Served } from '../helpers/served.js'
import { doorsTo, Driven, subscription } from '../helpers/steps.js'

const group = 'MC_data100-19s_data100-19s_westus2'
const machine = `/subscriptions/${subscription}/resourceGroups/${group}/providers/Microsoft.Compute/virtualMachines/nfsserver`
const pool = { name: 'pool0', guid: '9464217329115420731', devices: 2 }
const busy = (): LifeboatError => new LifeboatError('azure.agent-busy', 'a script is in progress', { retry: {} })

/** Azure's agent takes one script at a time, and by a script the host keys are read: whoever has to wait for it has asked nothing yet. */
describe('an old server whose agent is at the script of somebody else', () => {
  let world: Served & AsyncDisposable
  let opened: Awaited<ReturnType<typeof doorsTo>>
  beforeEach(async () => {
    world = await served()
    opened = await doorsTo(world.cloudPath)
  })
  afterEach(() => world[Symbol.asyncDispose]())

  const login = () => ({ machine, user: 'hubadmin', sshKey: opened.env('LIFEBOAT_SSH_KEY') })
  const driven = (module: typeof nfsFence, doors: Platform = opened.doors): Driven =>
    new Driven(module, doors, opened.clock, { ...login(), pool })
  /** The first answers are these, each after two minutes. */
  const after = (...errors: LifeboatError[]): Platform => {
    const { ssh } = opened.doors
    const read: typeof ssh.read = async (...args) => {
      const error = errors.shift()
      if (error === undefined) return ssh.read(...args)
      await opened.clock.sleep(120_000)
      throw error
    }
    return { ...opened.doors, ssh: { ...ssh, read } }
  }

  it('is not silent: it is asked once that is over', { timeout: 120_000 }, async () => {
    const fence = driven(nfsFence)
    fence.accepted.add('deallocate')
    world.world.begin('runCommand', machine, 8 * 60_000, () => undefined)
    expect(await fence.see()).toMatchObject({ state: 'drifted', seen: { serving: true, imported: true } })
    expect(world.world.host(machine)?.power).toBe('running')
  })

  it('is not silent by one answer that is lost after that', async () => {
    const fence = driven(nfsFence, after(busy(), new LifeboatError('ssh.unreachable', 'reset', { retry: {} })))
    fence.accepted.add('deallocate')
    expect(await fence.see()).toMatchObject({ state: 'drifted', seen: { serving: true, imported: true } })
  })

  it('is offered to be stopped, in true words, and not tried over and over first', async () => {
    const refused = (await driven(nfsFence, after(busy())).see().catch((error: unknown) => error)) as LifeboatError
    expect(refused).toMatchObject({ code: 'fence.silent', message: expect.stringContaining('nfsserver cannot be asked') as string, retry: undefined })
  })

  it('keeps nobody from going on without a record', async () => {
    const record = driven(zfsRecord, after(busy(), busy()))
    expect(await record.see()).toMatchObject({ outputs: { record: null, remark: expect.stringMatching(/nfsserver cannot be asked$/) as string } })
  })
})
