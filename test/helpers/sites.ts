import { join } from 'node:path'
import { data100, root } from './cli.js'

/** A runbook with the world it is tried in, and what that world must have come to. */
export interface Site {
  readonly name: string
  readonly runbook: string
  readonly world: string
  readonly after: FailedOver
}

/** What must hold after a failover, however often it was interrupted. All names are last segments of ids. */
export interface FailedOver {
  /** Old and new. */
  readonly clusters: readonly string[]
  /** NFS servers, old and new together, and the group of the new ones. */
  readonly servers: { readonly name: RegExp; readonly group: string; readonly of: number }
  /** LUN of each data disk on a new server. */
  readonly disks: Readonly<Record<string, number>>
  /** The group that the disks end in, and how often each has been moved: once, or not at all. */
  readonly diskGroup: string
  readonly moves: 0 | 1
  readonly releases: readonly string[]
  /** Host by the name of its record. */
  readonly hosts: Readonly<Record<string, string>>
  /** Address of a record, where it must be a certain one. */
  readonly records?: Readonly<Record<string, string>>
}

const fixture = (name: string): Pick<Site, 'name' | 'runbook' | 'world'> => ({
  name,
  runbook: join(root, `runbooks/${name}.yaml`),
  world: join(root, `fixtures/worlds/${name}.yaml`),
})

const afterData100 = {
  clusters: ['data100-19s', 'data100-19s-2'],
  servers: { name: /^nfsserver$/, group: 'data100-nfs', of: 2 },
  disks: { nfsserver_DataDisk_0: 0, nfsserver_DataDisk_1: 1 },
  diskGroup: 'data100-disks',
  moves: 1,
  releases: ['data100-prod', 'data100-staging'],
  hosts: { data100: 'data100.datahub.berkeley.edu', data100s: 'data100s.datahub.berkeley.edu' },
} as const satisfies FailedOver

export const sites = {
  data100: { ...fixture('data100'), runbook: data100, after: afterData100 },
  'data100-attach-first': {
    ...fixture('data100-attach-first'),
    world: join(root, 'fixtures/worlds/data100.yaml'),
    after: { ...afterData100, diskGroup: 'MC_data100-19s_data100-19s_westus2', moves: 0 },
  },
  minimal: {
    ...fixture('minimal'),
    after: {
      clusters: ['physics-1', 'physics-2'],
      servers: { name: /^physics-nfs$/, group: 'physics-2', of: 2 },
      disks: { 'physics-homes': 0 },
      diskGroup: 'physics-nfs',
      moves: 0,
      releases: ['hub'],
      hosts: { hub: 'hub.physics.example.edu' },
    },
  },
  'hubs-many': {
    ...fixture('hubs-many'),
    after: {
      clusters: ['hubs-1', 'hubs-2'],
      servers: { name: /^nfs-(staging|prod)$/, group: 'hubs-nfs', of: 4 },
      disks: { 'staging-0': 0, 'teach-0': 0, 'teach-1': 1, 'stats-0': 2, 'stats-1': 3, 'labs-0': 4, 'labs-1': 5 },
      diskGroup: 'hubs-disks',
      moves: 1,
      releases: ['bio', 'data8', 'econ', 'math', 'staging', 'stat20'],
      hosts: Object.fromEntries(['staging', 'data8', 'stat20', 'econ', 'bio', 'math'].map((name) => [name, `${name}.hubs.example.edu`])),
      // The addresses of before.
      records: { staging: '198.51.100.61', data8: '198.51.100.62', stat20: '198.51.100.63', econ: '198.51.100.64', bio: '198.51.100.65', math: '198.51.100.66' },
    },
  },
} as const satisfies Record<string, Site>
