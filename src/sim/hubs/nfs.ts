import { deciding, isFor, isWritable } from '../hosts/clients.js'
import { poolsImportedOn, stateOf } from '../hosts/disks.js'
import { isKeptBack } from '../hosts/nfs.js'
import { allows } from '../world/firewall.js'
import type { Dataset, Host, Pool } from '../world/model.js'
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
export function whyNotServed(world: World, mounter: Mounter, server: string, path: string, whom?: string): string | undefined {
  const host = serverOf(world, mounter, server)
  return whyNoAnswer(world, mounter, server, whom) ?? (host && whyNotServedBy(world, host, path, mounter.nodes))
}

/** The same for somebody who wants to save there. What is only read can be mounted. */
export function whyNotSaved(world: World, mounter: Mounter, server: string, path: string): string | undefined {
  const host = serverOf(world, mounter, server)
  return whyNotServed(world, mounter, server, path) ?? (host && whyNotSavedOn(world, host, path, mounter.nodes))
}

/** Why an NFS server cannot be spoken to from a cluster, whatever it exports. */
export function whyNoAnswer(world: World, mounter: Mounter, server: string, whom?: string): string | undefined {
  const host = serverOf(world, mounter, server)
  if (host === undefined) return `no host has the address ${server}`
  if (whom !== undefined) world.answersTo(host.machine, whom)
  // Which node a pod comes to is not said: all of them must be let in.
  const kept = mounter.nodes.find((node) => !allows(world, host.machine, node, nfsPort))
  return kept === undefined ? whyDumb(world, host) : `the security groups of ${server} keep out ${kept}`
}

const nfsPort = 2049

function serverOf(world: World, { networks }: Mounter, server: string): Host | undefined {
  return [...world.hosts.values()].find(
    (one) => one.address === server && networks.some((network) => network.toLowerCase() === one.network.toLowerCase()),
  )
}

function whyDumb(world: World, host: Host): string | undefined {
  if (!world.answers(host.machine)) return `the NFS server ${host.address} does not answer`
  return host.services.nfs ? undefined : `NFS is not running on ${host.address}`
}

/** Without `nodes`: to anybody. */
export function whyNotServedBy(world: World, host: Host, path: string, nodes: readonly string[] = []): string | undefined {
  const dumb = whyDumb(world, host)
  if (dumb !== undefined) return dumb
  const table = host.exports.filter((one) => covers(one.path, path))
  if (table.length === 0) return `${path} is not exported by ${host.address}`
  const open = table.filter((one) => !isKeptBack(world, host, one))
  if (open.length === 0) return `${host.address} keeps ${path} back: nothing is mounted there`
  const denied = nodes.find((node) => !open.some((one) => isFor(one, node)))
  if (denied !== undefined) return `access denied by server: ${host.address} does not export ${path} to ${denied}`
  const place = placeOf(world, host, path)
  if (place === undefined) return `${host.address} serves an empty folder of its system disk as ${path}`
  const state = stateOf(world, host, place.pool)
  return state === 'ONLINE' || state === 'DEGRADED' ? undefined : `the pool under ${path} is ${state}`
}

/** Why nobody can save in what is served, if so. Without `nodes`: by the line that goes furthest. */
export function whyNotSavedOn(world: World, host: Host, path: string, nodes: readonly string[] = []): string | undefined {
  const open = host.exports.filter((one) => covers(one.path, path) && !isKeptBack(world, host, one))
  const lines = nodes.length === 0 ? [deciding(open)] : nodes.map((node) => deciding(open.filter((one) => isFor(one, node))))
  if (lines.some((line) => line !== undefined && !isWritable(line))) return `nobody can save: ${host.address} exports ${path} for reading only`
  const place = placeOf(world, host, path)
  if (place?.pool.readOnly === true) return `nobody can save: the pool under ${path} was imported for reading only`
  return place !== undefined && isReadOnly(place) ? `nobody can save: the dataset under ${path} is readonly` : undefined
}

interface Place {
  readonly pool: Pool
  readonly dataset: Dataset
}

/** What is mounted there: of several, one below the other, the deepest. */
function placeOf(world: World, host: Host, path: string): Place | undefined {
  const all = poolsImportedOn(world, host).flatMap((pool) => pool.datasets.map((dataset) => ({ pool, dataset })))
  return all
    .filter(({ dataset }) => dataset.mounted && covers(dataset.mountpoint, path))
    .sort((one, other) => other.dataset.mountpoint.length - one.dataset.mountpoint.length)[0]
}

/** Set on the dataset, or on the nearest above it that says anything. */
function isReadOnly({ pool, dataset }: Place): boolean {
  const above = pool.datasets.filter(({ name }) => covers(name, dataset.name)).sort((one, other) => other.name.length - one.name.length)
  return above.map(({ properties }) => properties['readonly']).find((value) => value !== undefined) === 'on'
}

function covers(parent: string, path: string): boolean {
  return path === parent || path.startsWith(`${parent.replace(/\/$/, '')}/`)
}
