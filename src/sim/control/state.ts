import type { HubState, ReleaseState } from '../world/model.js'
import { dataDisksOf, type World } from '../world/world.js'

/** What `GET /_world/state` answers: the world's own truth, in plain lists. */
export interface WorldState {
  readonly t: string
  readonly clusters: readonly { id: string; provisioningState: string }[]
  readonly vms: readonly { id: string; powerState: string; provisioningState: string; dataDisks: readonly { id: string; lun: number }[] }[]
  readonly disks: readonly { id: string; uniqueId: string; diskState: string; managedBy: string | null; moves: number }[]
  /** `of`: uniqueId of the disk; `torn`: its pool was imported when it was begun, so it fits no other disk's. */
  readonly snapshots: readonly { id: string; of: string; torn: boolean }[]
  readonly groups: readonly { id: string; tags: Readonly<Record<string, string>>; locked: boolean }[]
  /** Names are relative to their zone. `published` is what the zone's name servers answer now. */
  readonly recordSets: readonly {
    zone: string
    name: string
    type: string
    ttl: number
    values: readonly string[]
    published: { ttl: number; values: readonly string[] } | null
  }[]
  /** Everything that has an id, but for groups and record sets. */
  readonly resources: readonly { id: string; type: string }[]
  readonly releases: readonly ReleaseState[]
  /** `disks`: uniqueIds. */
  readonly pools: readonly {
    guid: string
    name: string
    disks: readonly string[]
    health: string
    exported: boolean
    importedOn: readonly string[]
  }[]
  readonly hosts: readonly { machine: string; answers: boolean; nfs: boolean; exports: readonly { path: string; clients: string }[] }[]
  readonly hubs: readonly HubState[]
  readonly operations: readonly {
    what: string
    resource: string
    /** Further resources that it changes. */
    also: readonly string[]
    startedAt: string
    durationMs: number
    status: string
    error?: { code: string; message: string }
  }[]
  readonly violations: readonly string[]
}

/** What can be asked often: the same lists, without what takes work to find out. */
export type WorldGlance = Pick<WorldState, 'clusters' | 'vms' | 'disks' | 'groups' | 'recordSets' | 'pools'>

/** What can be asked after every change. Cluster nodes are no `vms`; OS disks are `disks`. */
export function glanceOf(world: World): WorldGlance {
  return {
    clusters: world.ofType('Microsoft.ContainerService/managedClusters').map((one) => ({
      id: one.id,
      provisioningState: text(one.properties['provisioningState']),
    })),
    vms: world.ofType('Microsoft.Compute/virtualMachines').map((one) => ({
      id: one.id,
      powerState: world.host(one.id)?.power ?? 'unknown',
      provisioningState: text(one.properties['provisioningState']),
      dataDisks: dataDisksOf(one).map((disk) => ({ id: world.resource(disk.managedDisk.id)?.id ?? disk.managedDisk.id, lun: disk.lun })),
    })),
    disks: world.ofType('Microsoft.Compute/disks').map((one) => ({
      id: one.id,
      uniqueId: text(one.properties['uniqueId']),
      diskState: text(one.properties['diskState']),
      managedBy: one.managedBy ?? null,
      moves: world.moves.get(text(one.properties['uniqueId'])) ?? 0,
    })),
    groups: [...world.groups.values()].map((one) => ({ id: one.id, tags: one.tags, locked: one.locks.size > 0 })),
    recordSets: world.recordSets.map((one) => ({
      zone: one.zone,
      name: one.name,
      type: one.type,
      ttl: one.ttl,
      values: one.values,
      published: world.published.get(`${one.zone}/${one.name}/${one.type}`.toLowerCase()) ?? null,
    })),
    pools: world.pools.map(({ guid, name, disks, health, exported, importedOn }) => ({ guid, name, disks, health, exported, importedOn })),
  }
}

/** The state of a world now, in the shape of the design. */
export function stateOf(world: World): WorldState {
  return {
    t: new Date(world.clock.nowMs()).toISOString(),
    ...glanceOf(world),
    snapshots: world.ofType('Microsoft.Compute/snapshots').map((one) => ({
      id: one.id,
      of: text((one.properties['creationData'] as Record<string, unknown> | undefined)?.['sourceUniqueId']),
      torn: world.torn.has(one.id.toLowerCase()),
    })),
    resources: [...world.resources.values()].map(({ id, type }) => ({ id, type })),
    releases: world.sources.releases(),
    hosts: [...world.hosts.values()].map((one) => ({
      machine: one.machine,
      answers: world.answers(one.machine),
      nfs: one.services.nfs,
      exports: one.exports.map(({ path, clients }) => ({ path, clients })),
    })),
    hubs: world.sources.hubs(),
    operations: world.operations.map(({ what, resource, also, startedAtMs, durationMs, status, error }) => ({
      what,
      resource,
      also: also ?? [],
      startedAt: new Date(startedAtMs).toISOString(),
      durationMs,
      status,
      ...(error ? { error: { code: error.code, message: error.message } } : {}),
    })),
    violations: world.violations,
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
