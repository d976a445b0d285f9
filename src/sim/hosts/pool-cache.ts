import type { Host, Pool } from '../world/model.js'

/** Where a host notes the pools that it imports by itself when it boots. In truth it is binary; here it is one guid a line. */
const cacheFile = '/etc/zfs/zpool.cache'

const guidsIn = (host: Host): string[] => (host.files.get(cacheFile) ?? '').split('\n').filter((line) => line !== '')

export function remembers(host: Host, { guid }: Pick<Pool, 'guid'>): boolean {
  return guidsIn(host).includes(guid)
}

/** An import remembers its pool, but for one with `cachefile=none`; an export forgets it. */
export function remember(host: Host, { guid }: Pick<Pool, 'guid'>, isKept: boolean): void {
  const guids = guidsIn(host).filter((one) => one !== guid)
  const all = isKept ? [...guids, guid] : guids
  if (all.length === 0) host.files.delete(cacheFile)
  else host.files.set(cacheFile, all.map((one) => `${one}\n`).join(''))
}

/** Where the host notes that cloud-init has taken the unit that reads the file out of its boot; the package puts it in. */
const unitMark = '/etc/systemd/.zfs-import-cache.service'

export const isImportEnabled = (host: Host): boolean => host.files.get(unitMark) !== 'disabled'

export function disableImport(host: Host): void {
  host.files.set(unitMark, 'disabled')
}
