import { sameId } from '../world/ids.js'
import { seededHex } from '../world/keys.js'
import type { Host, Resource } from '../world/model.js'
import { hasWayOut } from '../world/egress.js'
import { addressOf } from '../world/populate.js'
import { dataDisksOf, type World } from '../world/world.js'
import { record, records, textOf } from './wire.js'

/** What a new machine is told at its first boot. */
export interface FirstBoot {
  readonly user: string
  readonly publicKeys: readonly string[]
  /** The cloud-init document, decoded; empty without one. */
  readonly cloudInit: string
}

/** Reads `osProfile` of a machine that is being made. */
export function firstBootOf(osProfile: Record<string, unknown>): FirstBoot {
  const linux = record(osProfile['linuxConfiguration'])
  const keys = records(record(linux['ssh'])['publicKeys']).flatMap((key) => textOf(key['keyData']) ?? [])
  return {
    user: textOf(osProfile['adminUsername']) ?? '',
    publicKeys: keys.map((key) => key.trim()),
    cloudInit: Buffer.from(textOf(osProfile['customData']) ?? '', 'base64').toString('utf8'),
  }
}

/** Does cloud-init bring what an NFS server on ZFS needs? Without it the machine runs, and never becomes ready. */
export function installsStorage(cloudInit: string): boolean {
  return /\bzfsutils-linux\b|\bzfs-dkms\b/.test(cloudInit) && /\bnfs-kernel-server\b/.test(cloudInit)
}

/**
 * The operating system of a machine that is being made: it answers SSH after the first boot, and is ready after cloud-init. From a
 * prepared image it is ready as soon as it is up: nothing has to be fetched.
 */
export function makeHost(world: World, machine: Resource, first: FirstBoot, prepared = false): Host {
  const place = addressOf(world, machine)
  const upMs = world.clock.nowMs() + world.durationOf('vm create')
  const brings = prepared || installsStorage(first.cloudInit)
  const workMs = prepared ? world.durationOf('boot') : world.durationOf('first boot')
  const doneMs = brings ? upMs + workMs : upMs
  const host: Host = {
    machine: machine.id,
    power: 'starting',
    network: place?.network ?? '',
    address: place?.address ?? '',
    sshFromMs: upMs + world.durationOf('boot'),
    readyFromMs: brings ? doneMs : Number.POSITIVE_INFINITY,
    cloudInitUntilMs: doneMs,
    answers: true,
    hostId: seededHex(`hostid ${String(machine.properties['vmId'])}`, 8),
    hostKey: world.makeKey(`root@${machine.name}`),
    user: first.user,
    authorizedKeys: [...first.publicKeys],
    services: { nfs: false },
    exports: [],
    files: new Map(),
    running: new Map(),
    locks: new Map(),
  }
  world.hosts.set(machine.id.toLowerCase(), host)
  announce(world, host)
  return host
}

/** Packages come from the internet. Whoever cannot get there waits for them as long, and in the end has none. */
export function fetchPackages(world: World, machine: Resource, host: Host): void {
  const fetches = host.readyFromMs > host.sshFromMs
  if (!fetches || !Number.isFinite(host.readyFromMs) || hasWayOut(world, machine)) return
  host.readyFromMs = Number.POSITIVE_INFINITY
  host.cloudInitError =
    "('package_update_upgrade_install', ProcessExecutionError(\"Unexpected error while running command.\\nCommand: ['apt-get', 'install', " +
    "'zfs-dkms', 'zfsutils-linux', 'nfs-kernel-server']\\nExit code: 100\\nReason: -\\nStdout: -\\nStderr: -\"))"
}

/** Whoever waits for the machine to answer looks again when it begins to. */
function announce(world: World, host: Host): void {
  world.clock.schedule(host.sshFromMs - world.clock.nowMs(), () => world.changed())
}

/** The system goes down without exporting anything: what ran is gone, its pools are in use by nobody. */
export function haltHost(world: World, host: Host): void {
  host.running.clear()
  for (const lock of host.locks.values()) Object.assign(lock, { held: false, sharers: 0 })
  host.services.nfs = false
  for (const pool of world.pools) {
    if (!pool.importedOn.some((id) => sameId(id, host.machine))) continue
    pool.importedOn = pool.importedOn.filter((id) => !sameId(id, host.machine))
    for (const dataset of pool.datasets) dataset.mounted = false
  }
}

/**
 * The system comes up again. As a real one does, it imports from its cache file whatever it had when it went down, if the
 * disks are still there (openzfs #15290), and starts the NFS server that its exports call for.
 */
export function bootHost(world: World, host: Host): void {
  host.sshFromMs = world.clock.nowMs() + world.durationOf('boot')
  host.readyFromMs = Math.max(host.readyFromMs, host.sshFromMs)
  delete host.cloudInitError
  announce(world, host)
  host.services.nfs = host.exports.length > 0
  const machine = world.resource(host.machine)
  const attached = machine ? dataDisksOf(machine).map((disk) => world.resource(disk.managedDisk.id)?.properties['uniqueId']) : []
  for (const pool of world.pools) {
    if (pool.exported || pool.lastHostId !== host.hostId || !pool.disks.every((disk) => attached.includes(disk))) continue
    pool.importedOn.push(host.machine)
    if (pool.importedOn.length > 1) world.violation(`pool ${pool.name} is imported on ${pool.importedOn.join(' and ')} at once`)
    for (const dataset of pool.datasets) dataset.mounted = true
  }
}
