import { sameId } from '../world/ids.js'
import type { Host } from '../world/model.js'
import { dataDisksOf, type World } from '../world/world.js'
import { LabError } from './error.js'
import type { Guest } from './guest.js'

type PoolSpec = World['spec']['pools'][number]

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/**
 * Makes on a machine the pools that the world's file has there, with their datasets, and exports what it exports. A pool gets its guid
 * when it is made: the world's pool, and values of the world's `env` that are the file's guid, get the real one.
 */
export async function makePools(world: World, host: Host, guest: Guest): Promise<void> {
  const say = async (line: string): Promise<string> => {
    const result = await guest.root?.run(line)
    if (result?.exitCode !== 0) throw new LabError(`the lab cannot prepare ${host.machine}: ${line}: ${result?.stderr ?? 'nobody answers'}`)
    return result.stdout
  }
  for (const spec of world.spec.pools.filter((one) => one.importedOn !== undefined && sameId(one.importedOn, host.machine))) {
    await say(commands(world, host, spec))
    adopt(world, spec, (await say(`zpool get -H -o value guid ${quoted(spec.name)}`)).trim())
  }
  const spec = world.spec.hosts.find((one) => sameId(one.machine, host.machine))
  const lines = (spec?.exports ?? []).map(({ path, clients, options }) => `${path} ${clients}(${options})\n`).join('')
  if (lines !== '') await say(`printf %s ${quoted(lines)} > /etc/exports`)
  if (spec?.nfs === true) await say('systemctl start nfs-server')
}

function commands(world: World, host: Host, spec: PoolSpec): string {
  const machine = world.resource(host.machine)
  const luns = (machine ? dataDisksOf(machine) : []).filter((entry) => spec.disks.includes(entry.name)).map((entry) => entry.lun)
  const devices = luns.map((lun) => `/dev/disk/azure/scsi1/lun${lun}`)
  const [root, ...others] = [...spec.datasets].sort((a, b) => a.name.length - b.name.length)
  const wait = devices.map((device) => `until test -b ${device}; do sleep 0.2; done`)
  const mount = quoted(root?.mountpoint ?? `/${spec.name}`)
  const layout = spec.layout === 'mirror' ? ['mirror'] : []
  const set = (properties: Readonly<Record<string, string>>, letter: string): string[] =>
    Object.entries(properties).flatMap(([key, value]) => [letter, quoted(`${key}=${value}`)])
  const create = ['zpool', 'create', '-f', '-o', 'ashift=12', '-m', mount, ...set(root?.properties ?? {}, '-O'), quoted(spec.name), ...layout, ...devices].join(' ')
  return [
    ...wait,
    // It waits half a minute for udev to show the partitions that it makes; a machine that has little of a processor takes longer.
    `{ ${create} || { udevadm settle -t 300; ${create}; }; }`,
    ...others.map((one) => ['zfs', 'create', '-o', quoted(`mountpoint=${one.mountpoint}`), ...set(one.properties, '-o'), quoted(one.name)].join(' ')),
  ].join(' && ')
}

function adopt(world: World, spec: PoolSpec, guid: string): void {
  const at = world.pools.findIndex((pool) => pool.guid === spec.guid)
  const pool = world.pools[at]
  if (pool) world.pools[at] = { ...pool, guid }
  for (const [name, value] of Object.entries(world.spec.env)) if (value === spec.guid) world.spec.env[name] = guid
}
