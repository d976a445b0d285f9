import type { AnyStep } from '../contract/index.js'
import type { Platform } from '../platform/platform.js'
import { aksCluster } from './azure-aks-cluster.js'
import { attachDisks } from './azure-attach-disks.js'
import { detachDisks } from './azure-detach-disks.js'
import { diskSnapshots } from './azure-disk-snapshots.js'
import { dnsRecord } from './azure-dns-record.js'
import { managedIdentity } from './azure-managed-identity.js'
import { moveResources } from './azure-move-resources.js'
import { network } from './azure-network.js'
import { nfsVm } from './azure-nfs-vm.js'
import { releaseAddress } from './azure-release-address.js'
import { resourceGroup } from './azure-resource-group.js'
import { roleAssignment } from './azure-role-assignment.js'
import { dnsTtl } from './dns-ttl.js'
import { exec } from './exec.js'
import { dnsPropagation } from './dns-propagation.js'
import { helmRelease } from './helm-release.js'
import { httpCheck } from './http-check.js'
import { kubeWait } from './kube-wait.js'
import { nfsExports } from './nfs-exports.js'
import { nfsFence } from './nfs-fence.js'
import { zfsImportPool } from './zfs-import-pool.js'
import { zfsRecord } from './zfs-record.js'

const modules = [
  resourceGroup,
  network,
  managedIdentity,
  roleAssignment,
  aksCluster,
  nfsVm,
  detachDisks,
  diskSnapshots,
  moveResources,
  attachDisks,
  releaseAddress,
  dnsRecord,
  dnsTtl,
  dnsPropagation,
  helmRelease,
  kubeWait,
  httpCheck,
  nfsFence,
  zfsRecord,
  zfsImportPool,
  nfsExports,
  exec,
]

/** Every step module, by its `uses`. */
export const registry: ReadonlyMap<string, AnyStep<Platform>> = new Map(modules.map((module) => [module.uses, module]))
