import type { DoorScope } from '../scope.js'
import { openActivity } from './activity.js'
import { openCapacity } from './capacity.js'
import { openClusters } from './clusters.js'
import { openDisks } from './disks.js'
import type { AzureDoor } from './door.js'
import { openAddresses, openGovernance } from './governance.js'
import { openGroups } from './groups.js'
import { HostFactsReader, openMachines } from './machines.js'
import { openResources } from './resources.js'
import { openRights } from './rights.js'
import { openRoles } from './roles.js'
import { serverTime } from './server-time.js'
import type { AzureSession } from './session.js'
import { openSnapshots } from './snapshots.js'
import { openZones } from './zones.js'

/** The Azure door of one step: everything it creates is tagged with run, runbook and step (design §3). */
export function openAzure(session: AzureSession, hosts: HostFactsReader, scope: Pick<DoorScope, 'run' | 'runbook' | 'step'>): AzureDoor {
  const tags = { 'lifeboat-run': scope.run, 'lifeboat-runbook': scope.runbook, 'lifeboat-step': scope.step }
  return {
    groups: openGroups(session, tags),
    resources: openResources(session, tags),
    clusters: openClusters(session, tags),
    machines: openMachines(session, tags, hosts),
    disks: openDisks(session),
    snapshots: openSnapshots(session, tags),
    zones: openZones(session, tags),
    rights: openRights(session),
    roles: openRoles(session),
    activity: openActivity(session),
    capacity: openCapacity(session),
    governance: openGovernance(session, tags),
    addresses: openAddresses(session),
    serverTime: () => serverTime(session),
  }
}

/** Shared by all steps of a run: reading host keys takes twenty seconds a machine. */
export function hostFactsReader(session: AzureSession): HostFactsReader {
  return new HostFactsReader(session, openResources(session, {}))
}
