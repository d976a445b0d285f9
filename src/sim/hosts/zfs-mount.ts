import type { Dataset, Pool } from '../world/model.js'
import type { ShellResult } from '../world/shell.js'
import { type Call, failed } from './call.js'

/** May `zfs mount -a` mount it? */
export function mounts(dataset: Dataset): boolean {
  return dataset.mountpoint.startsWith('/') && !['off', 'noauto'].includes(dataset.properties['canmount'] ?? 'on')
}

/** Mounts all datasets of the pools that mount by themselves and are not mounted yet. */
export function mountAll(call: Call, pools: readonly Pool[]): ShellResult {
  for (const pool of pools) {
    for (const dataset of pool.datasets) if (mounts(dataset)) dataset.mounted = true
  }
  call.world.changed()
  return failed(0, '')
}
