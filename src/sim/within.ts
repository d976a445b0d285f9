import { mkdir } from 'node:fs/promises'
import { Faults } from './arm/faults.js'
import { makeManager, type Manager } from './arm/manager.js'
import { makeControl } from './control/control.js'
import { writeCloudFile, writeFiles } from './files.js'
import { openWays, type Ways } from './hosts/ways.js'
import { Hubs } from './hubs/hub.js'
import { KubeRoom } from './kube-room.js'
import type { Authority } from './pki.js'
import type { WorldClock } from './world/clock.js'
import { seededSshKeys } from './world/keys.js'
import { makeWorld } from './world/load.js'
import type { WorldSpec } from './world/spec.js'
import type { World } from './world/world.js'

export interface WithinOptions {
  readonly spec: WorldSpec
  /** Whoever opens the world lets its time pass. */
  readonly clock: WorldClock
  /** May be another world's: nothing that is said depends on its keys. */
  readonly authority: Authority
  /** Where the cloud file goes and what it refers to; made if absent, private. */
  readonly folder: string
}

/** What whoever has a world in this process can look at and lay hands on, however its clients come to it. */
export interface WorldParts {
  readonly world: World
  readonly faults: Faults
  readonly manager: Manager
  readonly kube: KubeRoom
  readonly hubs: Hubs
  readonly cloudPath: string
}

/** A world that is asked within this process: no sockets, no time of its own. */
export interface WorldWithin extends WorldParts {
  readonly ways: Ways
  /** What is served below `/_world` otherwise. */
  readonly control: ReturnType<typeof makeControl>
}

/** The address of a resource manager that nothing listens at. */
const origin = 'https://management.world.invalid'

/** Opens a world for callers in this process: its parts are those that `serveWorld` serves. */
export async function openWithin({ spec, clock, authority, folder }: WithinOptions): Promise<WorldWithin> {
  const world = makeWorld(spec, clock, seededSshKeys(spec.name))
  const faults = new Faults(world)
  const manager = makeManager(world, { origin, authorityPem: authority.pem, faults })
  const kube = new KubeRoom(world)
  const hubs = new Hubs({ world, services: () => kube.services() })
  world.sources.releases = () => kube.releases()
  world.sources.hubs = () => hubs.states()
  await kube.start()
  hubs.refresh()
  world.onChange.add(() => hubs.refresh())
  const ways = openWays(world)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const files = await writeFiles(folder, world, authority.pem, manager.client.secret)
  const cloudPath = await writeCloudFile(folder, world, {
    origin,
    clientId: manager.client.id,
    files,
    reach: { nameServers: {}, ssh: ways.ssh },
    clocks: { worldMs: clock.nowMs(), realMs: clock.nowMs(), rate: 1 },
  })
  return { world, faults, manager, kube, hubs, ways, cloudPath, control: makeControl({ world, faults, stop: () => undefined }) }
}
