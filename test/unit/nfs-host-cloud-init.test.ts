import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { nfsHostCloudInit, preparedCloudInit } from '../../src/steps/parts/nfs-host-cloud-init.js'

interface CloudInit {
  readonly hostname: string
  readonly runcmd: readonly (readonly string[])[]
}

describe.each([
  { of: 'an image that fetches its packages', text: nfsHostCloudInit('nfs-1') },
  { of: 'an image that has them', text: preparedCloudInit('nfs-1') },
])('the first start of a server from $of', ({ text }) => {
  const { hostname, runcmd } = parse(text) as CloudInit
  const commands = runcmd.map((words) => words.join(' '))

  it('gives it a host id that stays, before ZFS is loaded and could make one of chance', () => {
    const id = commands.findIndex((command) => command.includes('zgenhostid'))
    expect(id).toBeGreaterThanOrEqual(0)
    expect(commands.findIndex((command) => command.includes('modprobe'))).toBeGreaterThan(id)
    expect(hostname).toBe('nfs-1')
  })

  it('imports nothing at a start, and does not serve before it is told to', () => {
    expect(commands).toContain('systemctl disable --now zfs-import-cache.service zfs-import-scan.service')
    expect(commands).toContain('systemctl disable --now nfs-server')
  })
})
