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
  readonly server: { readonly name: string; readonly group: string; readonly of: number }
  /** LUN of each data disk on the new server. */
  readonly disks: Readonly<Record<string, number>>
  /** The group that the disks end in, and how often each has been moved: once, or not at all. */
  readonly diskGroup: string
  readonly moves: 0 | 1
  readonly releases: readonly string[]
  /** Host by the name of its record. */
  readonly hosts: Readonly<Record<string, string>>
}

const fixture = (name: string): Pick<Site, 'name' | 'runbook' | 'world'> => ({
  name,
  runbook: join(root, `runbooks/${name}.yaml`),
  world: join(root, `fixtures/worlds/${name}.yaml`),
})

export const sites = {
  data100: {
    ...fixture('data100'),
    runbook: data100,
    after: {
      clusters: ['data100-19s', 'data100-19s-2'],
      server: { name: 'nfsserver', group: 'data100-nfs', of: 2 },
      disks: { nfsserver_DataDisk_0: 0, nfsserver_DataDisk_1: 1 },
      diskGroup: 'data100-disks',
      moves: 1,
      releases: ['data100-prod', 'data100-staging'],
      hosts: { data100: 'data100.datahub.berkeley.edu', data100s: 'data100s.datahub.berkeley.edu' },
    },
  },
  minimal: {
    ...fixture('minimal'),
    after: {
      clusters: ['physics-1', 'physics-2'],
      server: { name: 'physics-nfs', group: 'physics-2', of: 2 },
      disks: { 'physics-homes': 0 },
      diskGroup: 'physics-nfs',
      moves: 0,
      releases: ['hub'],
      hosts: { hub: 'hub.physics.example.edu' },
    },
  },
} as const satisfies Record<string, Site>
