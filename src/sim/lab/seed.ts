import { execFile } from 'node:child_process'
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Host } from '../world/model.js'

export interface Seed {
  readonly host: Host
  /** Public half of the key by which the world itself comes in as root. */
  readonly rootKey: string
  /** Was it a server before the world began? Then it takes its pools back when it starts, as servers do that nobody told otherwise. */
  readonly keepsPools: boolean
}

/** Writes the tar that makes a machine of the image the one that the world says (fixtures/lab/root/usr/lib/lab/first-boot). */
export async function writeSeed({ host, rootKey, keepsPools }: Seed, folder: string): Promise<string> {
  const name = host.machine.split('/').at(-1) ?? 'machine'
  const id = Buffer.alloc(4)
  id.writeUInt32LE(Number.parseInt(host.hostId, 16))
  const files: readonly (readonly [string, string | Buffer, number])[] = [
    ['etc/hostname', `${name}\n`, 0o644],
    ['etc/hosts', `127.0.0.1 localhost\n${host.address} ${name}\n`, 0o644],
    // As zgenhostid writes it.
    ['etc/hostid', id, 0o644],
    ['etc/ssh/ssh_host_ed25519_key', host.hostKey.private, 0o600],
    ['etc/ssh/ssh_host_ed25519_key.pub', `${host.hostKey.public}\n`, 0o644],
    ['root/.ssh/authorized_keys', `${rootKey}\n`, 0o600],
    ['etc/lab/authorized_keys', host.authorizedKeys.map((key) => `${key}\n`).join(''), 0o644],
    ['etc/lab/machine', `LAB_USER=${host.user}\nLAB_ADDRESS=${host.address}/24\nLAB_KEEPS_POOLS=${keepsPools ? 'yes' : 'no'}\nLAB_NOW=${Math.floor(Date.now() / 1000)}\n`, 0o644],
  ]
  const tree = join(folder, 'seed')
  for (const [path, text, mode] of files) {
    await mkdir(dirname(join(tree, path)), { recursive: true, mode: 0o700 })
    await writeFile(join(tree, path), text)
    await chmod(join(tree, path), mode)
  }
  const tar = join(folder, 'seed.tar')
  // Files only: an entry of a folder would give the guest's own folders this one's mode.
  await promisify(execFile)('tar', ['-c', '-f', tar, '--owner=0', '--group=0', '-C', tree, ...files.map(([path]) => path)])
  await rm(tree, { recursive: true })
  return tar
}
