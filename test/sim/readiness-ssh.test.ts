import { chmodSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { makeSshKey } from '../../src/sim/world/keys.js'
import { temporaryFolder } from '../helpers/cli.js'
import { writeSecret } from '../helpers/leaks.js'
import { readinessIn } from '../helpers/readiness.js'
import { served } from '../helpers/served.js'
import { doorsTo } from '../helpers/steps.js'
import { cloudFile, worldFile, type CloudFile } from '../helpers/worlds.js'

const newNetwork = /data100-network/

/** The way of the cloud file into the network that is still to be made. */
function newWay({ reach }: CloudFile): CloudFile['reach']['ssh'][number]['via']['jump'] {
  const way = reach.ssh.find(({ network }) => newNetwork.test(network))
  if (way === undefined) throw new Error('the world has no way into the new network')
  return way.via.jump
}

/** A port at which nobody listens. */
async function deadPort(): Promise<number> {
  const server = createServer()
  const { port } = await new Promise<AddressInfo>((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address() as AddressInfo)))
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** A folder with an `ssh` that answers `-V` so, for PATH. */
function sshThatSays(version: string): string {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'ssh'), `#!/bin/sh\n[ "$1" = -V ] && { echo "${version}" >&2; exit 0; }\nexec /usr/bin/ssh "$@"\n`)
  chmodSync(join(folder, 'ssh'), 0o755)
  return `${folder}:${process.env['PATH'] ?? ''}`
}

describe('R3: the jump host of the new network', () => {
  it('is logged in to before there is anything behind it', async () => {
    await using world = await served()
    const { doors, env } = await doorsTo(world.cloudPath)
    const login = { user: 'hubadmin', key: env('LIFEBOAT_SSH_KEY') }
    const networks = doors.ssh.networks()
    expect(networks).toHaveLength(2)
    for (const network of networks) await doors.ssh.tryJump(network, login)
    await expect(doors.ssh.tryJump('/another', login)).rejects.toMatchObject({ code: 'ssh.no-way' })
    const stranger = writeSecret(join(temporaryFolder(), 'key'), makeSshKey('stranger').private)
    await expect(doors.ssh.tryJump(networks[0] ?? '', { ...login, key: stranger })).rejects.toMatchObject({ code: 'ssh.denied' })
  })

  it.each<[string, (cloud: CloudFile, port: number) => void, RegExp]>([
    ['does not answer', (cloud, port) => void (newWay(cloud).port = port), /jump host 127\.0\.0\.1:\d+ cannot be reached by SSH/],
    ['shows another key', (cloud) => void (newWay(cloud).hostKey = makeSshKey('another').public), /does not have its host key/],
    ['does not know the user', (cloud) => void (newWay(cloud).user = 'somebody'), /does not let us in/],
  ])('that %s stops the run', async (_, spoil, what) => {
    await using world = await served()
    const port = await deadPort()
    const cloud = cloudFile(world.cloudPath, (file) => spoil(file, port))
    const { code, findings, failures } = await readinessIn(world, { cloud })
    expect([code, failures]).toEqual([4, []])
    expect(findings).toContainEqual({ level: 'stop', steps: ['nfs'], what: expect.stringMatching(what) as string, mend: expect.any(String) as string })
  })

  it('stops the run where the cloud file names no way into any network', async () => {
    await using world = await served()
    const cloud = cloudFile(world.cloudPath, ({ reach }) => void (reach.ssh = []))
    const { code, findings } = await readinessIn(world, { cloud })
    expect(code).toBe(4)
    expect(findings).toContainEqual(expect.objectContaining({ level: 'stop', steps: ['nfs'], what: expect.stringContaining('no way by SSH') as string }))
  })
})

describe('the old server', () => {
  it('that cannot be reached is a finding: the plan says what stopping it would cost, and how to choose that', async () => {
    await using world = await served()
    for (const host of world.world.hosts.values()) host.answers = false
    const { code, failures, findings } = await readinessIn(world)
    expect([code, failures]).toEqual([4, []])
    expect(findings).toContainEqual({
      level: 'stop',
      steps: ['fence'],
      what: expect.stringContaining('does not answer, and may still write') as string,
      mend: expect.stringContaining('--accept fence=deallocate') as string,
    })
  })

  it('that has another pool stops the run', async () => {
    await using world = await served(worldFile(({ pools }) => void pools.forEach((pool) => (pool.guid = '1'))))
    const { code, failures } = await readinessIn(world)
    expect(code).toBe(4)
    expect(failures).toMatchObject([{ step: 'fence', error: { message: expect.stringContaining('guid 1') as string } }])
  })
})

describe('the client’s side of ssh', () => {
  it('a key that others may read stops the run, once for all who need it', async () => {
    await using world = await served()
    const { env } = await doorsTo(world.cloudPath)
    const key = env('LIFEBOAT_SSH_KEY')
    chmodSync(key, 0o644)
    onTestFinished(() => chmodSync(key, 0o600))
    const { code, findings } = await readinessIn(world)
    expect(code).toBe(4)
    const steps = ['fence', 'nfs', 'import', 'exports']
    expect(findings).toContainEqual({ level: 'stop', steps, what: expect.stringContaining('mode 644') as string, mend: expect.stringContaining(`chmod 600 ${key}`) as string })
  })

  it('a client that knows no jump hosts stops the run', async () => {
    await using world = await served()
    const { code, findings } = await readinessIn(world, { env: { PATH: sshThatSays('OpenSSH_6.6.1p1 Ubuntu, OpenSSL 1.0.1f') } })
    expect(code).toBe(4)
    expect(findings).toContainEqual(expect.objectContaining({ level: 'stop', steps: ['nfs'], what: expect.stringContaining('OpenSSH 6.6') as string }))
  })
})
