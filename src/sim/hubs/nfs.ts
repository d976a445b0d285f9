import { isKeptBack } from '../hosts/nfs.js'
import { allows } from '../world/firewall.js'
import type { Host } from '../world/model.js'
import type { World } from '../world/world.js'

/** From where something is mounted: the networks of a cluster's nodes, and the nodes' addresses, as which their pods leave. */
export interface Mounter {
  readonly networks: readonly string[]
  readonly nodes: readonly string[]
}

/**
 * Why an NFS path is not served to a cluster now, or undefined if it is. What a pod would find out by mounting it. `whom`: who tries it, if
 * anybody does.
 */
export function whyNotServed(world: World, { networks, nodes }: Mounter, server: string, path: string, whom?: string): string | undefined {
  const host = [...world.hosts.values()].find(
    (one) => one.address === server && networks.some((network) => network.toLowerCase() === one.network.toLowerCase()),
  )
  if (host === undefined) return `no host has the address ${server}`
  if (whom !== undefined) world.answersTo(host.machine, whom)
  // Which node a pod comes to is not said: all of them must be let in.
  const kept = nodes.find((node) => !allows(world, host.machine, node, nfsPort))
  return kept === undefined ? whyNotServedBy(world, host, path) : `the security groups of ${server} keep out ${kept}`
}

const nfsPort = 2049

export function whyNotServedBy(world: World, host: Host, path: string): string | undefined {
  if (!world.answers(host.machine)) return `the NFS server ${host.address} does not answer`
  if (!host.services.nfs) return `NFS is not running on ${host.address}`
  const table = host.exports.filter((one) => covers(one.path, path))
  if (table.length === 0) return `${path} is not exported by ${host.address}`
  if (table.every((one) => isKeptBack(world, host, one))) return `${host.address} keeps ${path} back: nothing is mounted there`
  const pool = world.pools.find(({ importedOn, datasets }) =>
    importedOn.some((machine) => machine.toLowerCase() === host.machine.toLowerCase()) &&
    datasets.some((dataset) => dataset.mounted && covers(dataset.mountpoint, path)),
  )
  if (pool === undefined) return `${host.address} serves an empty folder of its system disk as ${path}`
  return pool.health === 'ONLINE' ? undefined : `the pool under ${path} is ${pool.health}`
}

function covers(parent: string, path: string): boolean {
  return path === parent || path.startsWith(`${parent.replace(/\/$/, '')}/`)
}
