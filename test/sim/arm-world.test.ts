import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { scaledClock, virtualClock } from '../../src/sim/world/clock.js'
import { parseId } from '../../src/sim/world/ids.js'
import { makeWorld, parseWorldSpec, readWorldSpec, WorldFileError } from '../../src/sim/world/load.js'
import { onlyReads } from '../../src/sim/world/shell.js'
import { root } from '../helpers/cli.js'
import { data100World } from '../helpers/world.js'

const findingsOf = (text: string): string => {
  try {
    parseWorldSpec(text, 'w.yaml')
  } catch (error) {
    if (error instanceof WorldFileError) return error.message
    throw error
  }
  return ''
}

const base = [
  'name: w',
  'epoch: "2019-02-25T11:34:00-08:00"',
  'subscription: s',
  'tenant: t',
  'location: westus2',
  'kubernetesVersions: [1.33.2]',
  'durations: {}',
]

describe('a world file', () => {
  test('of data100 becomes the world of 11:34, in world time', async () => {
    const spec = await readWorldSpec(data100World)
    const world = makeWorld(spec, virtualClock(Date.parse(spec.epoch)))
    expect(new Date(world.clock.nowMs()).toISOString()).toBe('2019-02-25T19:34:00.000Z')
    expect(world.pools[0]?.importedOn).toHaveLength(1)
    expect(world.durationOf('cluster create')).toBe(20 * 60_000)
    const old = [...world.resources.values()].filter((one) => one.id.includes('MC_data100-19s'))
    expect(old.length).toBeGreaterThan(5)
    expect(old.every((one) => one.properties['provisioningState'] === 'Succeeded')).toBe(true)
  })

  test('may have a server that answers nobody from the start, and runs on (S3)', async () => {
    const spec = await readWorldSpec(join(root, 'fixtures/worlds/silent-server.yaml'))
    const world = makeWorld(spec, virtualClock(Date.parse(spec.epoch)))
    const seen = spec.hosts.map(({ machine }) => [machine.split('/').at(-1), world.host(machine)?.power, world.answers(machine)])
    expect(seen).toEqual([['first', 'running', false], ['nfs', 'running', true]])
  })

  test('says which name leads nowhere, all of them at once', () => {
    const text = [
      ...base,
      'groups: [{ name: g }]',
      'hosts: [{ machine: /nowhere, user: u }]',
      'pools: [{ name: p, guid: "1", disks: [gone], layout: mirror, sizeGiB: 1, allocatedGiB: 1, datasets: [] }]',
      'deadApiServers: [/no/cluster]',
      'hubs: [{ host: h, namespace: n, dataset: p/none, certificateAfter: 1m }]',
    ].join('\n')
    const found = findingsOf(text)
    for (const part of ['no such machine: /nowhere', 'no disk is named gone', 'no such cluster: /no/cluster', 'no pool has a dataset p/none']) {
      expect(found).toContain(part)
    }
  })

  test('with an unknown key or a duration without unit says where', () => {
    expect(findingsOf([...base, 'groups: []', 'group: x'].join('\n'))).toContain('group')
    expect(findingsOf([...base.slice(0, -1), 'durations: { move: 4 }', 'groups: []'].join('\n'))).toContain('durations.move')
  })

  test('that is no YAML gives the line', () => {
    expect(findingsOf('name: [\nx: }')).toMatch(/w\.yaml:\d+:\d+: /)
  })

  test('that is not there is said to be unreadable', async () => {
    await expect(readWorldSpec('/nonexistent/world.yaml')).rejects.toThrow(/cannot be read: ENOENT/)
  })
})

describe('time in a world', () => {
  test('stands still until it is let pass, and then runs what is due in order', () => {
    const clock = virtualClock(1000)
    const seen: string[] = []
    clock.schedule(20, () => seen.push(`b${clock.nowMs()}`))
    clock.schedule(10, () => {
      seen.push(`a${clock.nowMs()}`)
      clock.schedule(5, () => seen.push(`c${clock.nowMs()}`))
    })
    clock.schedule(30, () => seen.push('never'))()
    expect(seen).toEqual([])
    clock.advance(100)
    expect(seen).toEqual(['a1010', 'c1015', 'b1020'])
    expect(clock.nowMs()).toBe(1100)
  })

  test('goes as many times as fast as it is told', async () => {
    const clock = scaledClock(5000, 1000)
    const before = clock.nowMs()
    await new Promise<void>((resolve) => clock.schedule(10_000, resolve))
    // A timer may fire a real millisecond early, which is a second here.
    expect(clock.nowMs() - before).toBeGreaterThan(8000)
    clock.stop()
  })
})

describe('ids', () => {
  test('are taken apart: children, extensions, and what is no id', () => {
    const group = '/subscriptions/s/resourceGroups/g'
    expect(parseId(`${group}/providers/Microsoft.Network/virtualNetworks/v/subnets/n`)).toMatchObject({
      type: 'Microsoft.Network/virtualNetworks/subnets',
      name: 'n',
      parent: `${group}/providers/Microsoft.Network/virtualNetworks/v`,
    })
    expect(parseId(`${group}/providers/Microsoft.Compute/disks/d/providers/Microsoft.Authorization/locks/l`)).toMatchObject({
      type: 'Microsoft.Authorization/locks',
      parent: `${group}/providers/Microsoft.Compute/disks/d`,
    })
    expect(parseId(`${group}/providers/Microsoft.Compute/disks`)).toBeUndefined()
    expect(parseId(group)).toBeUndefined()
  })
})

describe('the judgement of a script', () => {
  test.each([
    'cat /etc/ssh/ssh_host_ed25519_key.pub',
    'sudo zpool list -H -p -o name,guid',
    'zpool import -d /dev/disk/azure',
    'for f in /etc/ssh/*.pub; do cat "$f"; done',
    'systemctl is-active nfs-kernel-server 2>/dev/null || true',
    'exportfs -v | grep pool0',
  ])('lets through: %s', (script) => expect(onlyReads(script)).toBe(true))

  test.each([
    'zpool export pool0',
    'zpool import pool0',
    'zpool import -a',
    'systemctl stop nfs-kernel-server',
    'echo x > /etc/exports',
    'cat /etc/passwd; rm -rf /',
    'sed -i s/a/b/ /etc/exports',
    'echo $(reboot)',
    'exportfs -ra',
  ])('sees the write in: %s', (script) => expect(onlyReads(script)).toBe(false))
})
