import { sameId } from '../world/ids.js'
import type { Host, Pool } from '../world/model.js'
import type { World } from '../world/world.js'

/** What OpenZFS 2.1 knows (zpool-features(7)); true for those without which a pool can still be read. */
const ofThisVersion: Readonly<Record<string, boolean>> = {
  allocation_classes: true, async_destroy: true, bookmark_v2: false, bookmark_written: false, bookmarks: true, device_rebuild: true,
  device_removal: false, draid: false, edonr: false, embedded_data: false, empty_bpobj: true, enabled_txg: true, encryption: false,
  extensible_dataset: false, filesystem_limits: true, hole_birth: false, large_blocks: false, large_dnode: false, livelist: true,
  log_spacemap: true, lz4_compress: false, multi_vdev_crash_dump: false, obsolete_counts: true, project_quota: true,
  redacted_datasets: false, redaction_bookmarks: false, resilver_defer: true, sha512: false, skein: false, spacemap_histogram: true,
  spacemap_v2: true, userobj_accounting: true, zpool_checkpoint: true, zstd_compress: false,
}

/** The ZFS of a host, which knows besides what the pools use that the world has there at its beginning. */
function knownOn(world: World, host: Host): string[] {
  const there = world.spec.pools.filter((pool) => pool.importedOn !== undefined && sameId(pool.importedOn, host.machine))
  return [...new Set([...Object.keys(ofThisVersion), ...there.flatMap(({ features }) => features)])].sort()
}

/** What keeps a host from importing a pool. */
export function unknownOf(world: World, host: Host, pool: Pool): string[] {
  const known = knownOn(world, host)
  return pool.features.filter((feature) => !known.includes(feature))
}

/** Rows of `zpool get all`: every feature that this ZFS knows, `active` where the pool uses it. */
export function featureRows(world: World, host: Host, pool: Pool): (readonly [string, string])[] {
  return knownOn(world, host).map((name) => [`feature@${name}`, pool.features.includes(name) ? 'active' : 'enabled'])
}

/** `zpool upgrade -v`, without the versions of old. */
export function upgradeList(world: World, host: Host): string {
  const rows = knownOn(world, host).map((name) => `${name.padEnd(37)} ${ofThisVersion[name] === true ? '(read-only compatible)' : ''}\n     ${name.replaceAll('_', ' ')}.\n`)
  return [
    'This system supports ZFS pool feature flags.\n\nThe following features are supported:\n\nFEAT DESCRIPTION\n',
    `${'-'.repeat(61)}\n`,
    ...rows,
    'The following legacy versions are also supported:\n\nVER  DESCRIPTION\n---  --------------------------------------------------------\n 1   Initial ZFS version\n',
  ].join('')
}
