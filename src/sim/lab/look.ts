import { sameId } from '../world/ids.js'
import type { Dataset, Host, Pool } from '../world/model.js'
import type { World } from '../world/world.js'
import type { Guest } from './guest.js'

/** What one machine says of its pools and of its NFS server. */
interface Seen {
  readonly pools: readonly { readonly name: string; readonly guid: string; readonly health: string }[]
  readonly datasets: readonly Dataset[]
  readonly nfs: boolean
  readonly exports: Host['exports']
}

// Little forks little: each program costs a tenth of a second under emulation.
const script = [
  'zpool list -H -p -o name,guid,health 2>/dev/null',
  'echo --',
  'zfs list -H -p -t filesystem -o name,mountpoint,used,mounted,compression 2>/dev/null',
  'echo --',
  'cat /proc/fs/nfsd/threads 2>/dev/null || echo 0',
  'cat /var/lib/nfs/etab 2>/dev/null',
].join('; ')

/** Asks a machine; undefined where it cannot answer. */
export async function lookAt(guest: Guest): Promise<Seen | undefined> {
  const result = await guest.root?.run(script)
  if (!result || result.exitCode === 255) return undefined
  const [pools = '', datasets = '', nfs = ''] = result.stdout.split(/^--\n/m)
  const rows = (text: string): string[][] => text.split('\n').filter(Boolean).map((line) => line.split('\t'))
  const [threads, ...table] = nfs.split('\n').filter(Boolean)
  return {
    pools: rows(pools).map(([name = '', guid = '', health = '']) => ({ name, guid, health })),
    datasets: rows(datasets).map(([name = '', mountpoint = '', used = '', mounted, compression = '']) => ({
      name,
      mountpoint,
      usedBytes: Number(used),
      mounted: mounted === 'yes',
      properties: { compression },
    })),
    nfs: Number(threads) > 0,
    exports: table.flatMap((line) => {
      const [, path, clients, options] = /^(\S+)\s+([^\s(]+)\((.*)\)$/.exec(line) ?? []
      return path === undefined || clients === undefined || options === undefined ? [] : { path, clients, options }
    }),
  }
}

/** Puts what a machine says into the world, in place of what the world would have worked out. */
export function learn(world: World, host: Host, guest: Guest, seen: Seen): void {
  host.services.nfs = seen.nfs
  host.exports = seen.exports
  for (const pool of world.pools) {
    const here = seen.pools.find((one) => one.guid === pool.guid)
    // A pool whose disks are all gone stands in a machine's memory only.
    const holds = here !== undefined && guest.plugged.some((disk) => pool.disks.includes(disk.uniqueId))
    const held = pool.importedOn.some((id) => sameId(id, host.machine))
    if (holds) {
      guest.pools.add(pool.guid)
      if (!held) pool.importedOn.push(host.machine)
      pool.exported = false
      pool.lastHostId = host.hostId
      pool.health = healthOf(here.health)
      pool.datasets = seen.datasets.filter(({ name }) => name === here.name || name.startsWith(`${here.name}/`))
      tell(world, pool)
    } else if (held) {
      pool.importedOn = pool.importedOn.filter((id) => !sameId(id, host.machine))
      // It is gone from a machine that had it, and has been up ever since: somebody exported it.
      if (here === undefined && guest.pools.has(pool.guid)) pool.exported = true
    }
  }
}

function healthOf(word: string): Pool['health'] {
  return word === 'ONLINE' || word === 'DEGRADED' ? word : 'FAULTED'
}

/** Two machines that both have a pool imported and disks of it. */
function tell(world: World, pool: Pool): void {
  if (pool.importedOn.length < 2) return
  const text = `pool ${pool.name} is imported on ${pool.importedOn.join(' and ')} at once`
  if (!world.violations.includes(text)) world.violation(text)
}
