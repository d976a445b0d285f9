import { seededHex } from '../world/keys.js'
import type { Host, Resource } from '../world/model.js'
import { hasWayOut } from '../world/egress.js'
import { addressOf } from '../world/populate.js'
import type { World } from '../world/world.js'
import { comeUp, goDown } from '../hosts/boot.js'
import { enableNfs } from '../hosts/nfs.js'
import { disableImport } from '../hosts/pool-cache.js'
import { record, records, textOf } from './wire.js'

/** What a new machine is told at its first boot. */
export interface FirstBoot {
  readonly user: string
  readonly publicKeys: readonly string[]
  /** The cloud-init document, decoded; empty without one. */
  readonly cloudInit: string
  /** Has its image all that it needs? */
  readonly prepared: boolean
}

/** Reads `osProfile` of a machine that is being made. */
export function firstBootOf(osProfile: Record<string, unknown>, prepared: boolean): FirstBoot {
  const linux = record(osProfile['linuxConfiguration'])
  const keys = records(record(linux['ssh'])['publicKeys']).flatMap((key) => textOf(key['keyData']) ?? [])
  return {
    user: textOf(osProfile['adminUsername']) ?? '',
    publicKeys: keys.map((key) => key.trim()),
    cloudInit: Buffer.from(textOf(osProfile['customData']) ?? '', 'base64').toString('utf8'),
    prepared,
  }
}

/** Does cloud-init bring what an NFS server on ZFS needs? Without it the machine runs, and never becomes ready. */
export function installsStorage(cloudInit: string): boolean {
  return /\bzfsutils-linux\b|\bzfs-dkms\b/.test(cloudInit) && /\bnfs-kernel-server\b/.test(cloudInit)
}

/** The operating system of a machine that is being made: nothing of it is up before that is over. */
export function makeHost(world: World, machine: Resource, first: FirstBoot): Host {
  const place = addressOf(world, machine)
  const host: Host = {
    machine: machine.id,
    power: 'starting',
    network: place?.network ?? '',
    address: place?.address ?? '',
    sshFromMs: Number.POSITIVE_INFINITY,
    readyFromMs: Number.POSITIVE_INFINITY,
    cloudInitUntilMs: Number.POSITIVE_INFINITY,
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
  if (isDisabled(first.cloudInit, 'nfs-server|nfs-kernel-server')) enableNfs(host, false)
  if (isDisabled(first.cloudInit, 'zfs-import-cache')) disableImport(host)
  world.hosts.set(machine.id.toLowerCase(), host)
  return host
}

/**
 * Switches a new machine on, however long making it has taken: it answers SSH after its boot, and is ready after cloud-init. From a
 * prepared image it is ready as soon as it is up: nothing has to be fetched.
 */
export function firstPowerOn(world: World, host: Host, { cloudInit, prepared }: FirstBoot): void {
  const upMs = world.clock.nowMs()
  const brings = prepared || installsStorage(cloudInit)
  const workMs = prepared ? world.durationOf('boot') : world.durationOf('first boot')
  host.power = 'running'
  host.sshFromMs = upMs + world.durationOf('boot')
  host.cloudInitUntilMs = brings ? upMs + workMs : upMs
  host.readyFromMs = brings ? host.cloudInitUntilMs : Number.POSITIVE_INFINITY
  announce(world, host)
}

/** Does cloud-init take a unit out of the boot? */
function isDisabled(cloudInit: string, units: string): boolean {
  return new RegExp(`\\bsystemctl\\W+disable\\b.*\\b(${units})\\b`).test(cloudInit)
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
  goDown(world, host)
}

/** The system comes up again, and does by itself what its own files say. */
export function bootHost(world: World, host: Host): void {
  host.sshFromMs = world.clock.nowMs() + world.durationOf('boot')
  host.readyFromMs = Math.max(host.readyFromMs, host.sshFromMs)
  delete host.cloudInitError
  announce(world, host)
  comeUp(world, host)
}
