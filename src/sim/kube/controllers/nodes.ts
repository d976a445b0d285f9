import { kindOf } from '../kinds.js'
import type { KubeObject } from '../object.js'
import type { Store } from '../store.js'

/** Every cluster has two nodes; more would only be more pods of DaemonSets. */
export const nodeNames: readonly string[] = ['aks-nodepool1-10000001-vmss000000', 'aks-nodepool1-10000001-vmss000001']

/** The nodes, the namespaces and the storage classes of a cluster that has just been made. */
export function populate(store: Store, version: string): void {
  nodeNames.forEach((name, at) => store.create(kindOf('nodes'), node(store, name, at, version)))
  for (const name of ['default', 'kube-node-lease', 'kube-public', 'kube-system']) {
    store.create(kindOf('namespaces'), {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: { 'kubernetes.io/metadata.name': name } },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    })
  }
  for (const [name, provisioner] of storageClasses) {
    store.create(kindOf('storageclasses.storage.k8s.io'), {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: {
        name,
        ...(name === 'default' ? { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } } : {}),
      },
      provisioner,
      reclaimPolicy: 'Delete',
      volumeBindingMode: provisioner === 'file.csi.azure.com' ? 'Immediate' : 'WaitForFirstConsumer',
      allowVolumeExpansion: true,
    })
  }
  for (const [name, value] of [['system-cluster-critical', 2000000000], ['system-node-critical', 2000001000]] as const) {
    const metadata = { name }
    store.create(kindOf('priorityclasses.scheduling.k8s.io'), {
      apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata, value, preemptionPolicy: 'PreemptLowerPriority',
    })
  }
}

const storageClasses: readonly (readonly [string, string])[] = [
  ['default', 'disk.csi.azure.com'],
  ['managed', 'disk.csi.azure.com'],
  ['managed-csi', 'disk.csi.azure.com'],
  ['managed-csi-premium', 'disk.csi.azure.com'],
  ['managed-premium', 'disk.csi.azure.com'],
  ['azurefile', 'file.csi.azure.com'],
  ['azurefile-csi', 'file.csi.azure.com'],
  ['azurefile-csi-premium', 'file.csi.azure.com'],
  ['azurefile-premium', 'file.csi.azure.com'],
]

function node(store: Store, name: string, at: number, version: string): KubeObject {
  const resources = { cpu: '16', memory: '131912188Ki', pods: '110' }
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        agentpool: 'nodepool1',
        'kubernetes.azure.com/agentpool': 'nodepool1',
        'kubernetes.azure.com/mode': 'system',
        'kubernetes.io/arch': 'amd64',
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
      },
    },
    spec: { podCIDR: `10.244.${at}.0/24` },
    status: {
      addresses: [{ type: 'InternalIP', address: `10.224.0.${at + 4}` }, { type: 'Hostname', address: name }],
      allocatable: resources,
      capacity: resources,
      conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status', lastTransitionTime: store.now() }],
      nodeInfo: { kubeletVersion: `v${version}`, operatingSystem: 'linux', architecture: 'amd64', osImage: 'Ubuntu 22.04.5 LTS', containerRuntimeVersion: 'containerd://1.7' },
    },
  }
}
