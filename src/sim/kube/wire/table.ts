import type { Kind } from '../kinds.js'
import { count, fields, items, text, texts, type Fields, type KubeObject } from '../object.js'

type Cell = string | number

interface Column {
  readonly name: string
  readonly of: (object: KubeObject, nowMs: number) => Cell
}

const spec = (object: KubeObject): Fields => fields(object['spec'])
const status = (object: KubeObject): Fields => fields(object['status'])
const joined = (value: unknown): string => (Array.isArray(value) ? value.join(',') : '')
const or = (value: string, otherwise: string): string => (value === '' ? otherwise : value)

const name: Column = { name: 'Name', of: (object) => object.metadata.name }
const age: Column = { name: 'Age', of: (object, nowMs) => duration(nowMs - Date.parse(object.metadata.creationTimestamp ?? '')) }

/** A column that is a number of the status beside a number of the spec: `1/2`. */
function ready(of: (object: KubeObject) => [unknown, unknown]): Column {
  return { name: 'Ready', of: (object) => of(object).map((one) => count(one)).join('/') }
}

function column(called: string, of: (object: KubeObject) => unknown): Column {
  return {
    name: called,
    of: (object) => {
      const value = of(object)
      return typeof value === 'number' ? value : text(value)
    },
  }
}

// The columns of `kubectl get`, for the kinds that people look at; the others show name and age.
const columns: Readonly<Record<string, readonly Column[]>> = {
  pods: [
    ready((pod) => {
      const containers = items(status(pod)['containerStatuses'])
      return [containers.filter((one) => one['ready'] === true).length, items(spec(pod)['containers']).length]
    }),
    column('Status', podStatus),
    column('Restarts', () => 0),
  ],
  'deployments.apps': [
    ready((one) => [status(one)['readyReplicas'], spec(one)['replicas']]),
    column('Up-to-date', (one) => count(status(one)['updatedReplicas'])),
    column('Available', (one) => count(status(one)['availableReplicas'])),
  ],
  'replicasets.apps': [
    column('Desired', (one) => count(spec(one)['replicas'])),
    column('Current', (one) => count(status(one)['replicas'])),
    column('Ready', (one) => count(status(one)['readyReplicas'])),
  ],
  'statefulsets.apps': [ready((one) => [status(one)['readyReplicas'], spec(one)['replicas']])],
  'daemonsets.apps': [
    column('Desired', (one) => count(status(one)['desiredNumberScheduled'])),
    column('Current', (one) => count(status(one)['currentNumberScheduled'])),
    column('Ready', (one) => count(status(one)['numberReady'])),
    column('Up-to-date', (one) => count(status(one)['updatedNumberScheduled'])),
    column('Available', (one) => count(status(one)['numberAvailable'])),
  ],
  'jobs.batch': [
    column('Status', (job) => text(items(status(job)['conditions']).at(-1)?.['type']) || 'Running'),
    column('Completions', (job) => `${count(status(job)['succeeded'])}/${count(spec(job)['completions'], 1)}`),
  ],
  services: [
    column('Type', (one) => spec(one)['type']),
    column('Cluster-IP', (one) => or(text(spec(one)['clusterIP']), '<none>')),
    column('External-IP', externalAddress),
    column('Port(s)', (one) => items(spec(one)['ports']).map(portText).join(',')),
  ],
  persistentvolumes: [
    column('Capacity', (one) => fields(spec(one)['capacity'])['storage']),
    column('Access Modes', (one) => modes(spec(one)['accessModes'])),
    column('Reclaim Policy', (one) => spec(one)['persistentVolumeReclaimPolicy']),
    column('Status', (one) => status(one)['phase']),
    column('Claim', (one) => {
      const claim = fields(spec(one)['claimRef'])
      return claim['name'] === undefined ? '' : `${text(claim['namespace'])}/${text(claim['name'])}`
    }),
    column('StorageClass', (one) => spec(one)['storageClassName']),
  ],
  persistentvolumeclaims: [
    column('Status', (one) => (one.metadata.deletionTimestamp === undefined ? status(one)['phase'] : 'Terminating')),
    column('Volume', (one) => spec(one)['volumeName']),
    column('Capacity', (one) => fields(status(one)['capacity'])['storage']),
    column('Access Modes', (one) => modes(status(one)['accessModes'])),
    column('StorageClass', (one) => spec(one)['storageClassName']),
  ],
  namespaces: [column('Status', (one) => status(one)['phase'])],
  nodes: [
    column('Status', (one) => (spec(one)['unschedulable'] === true ? 'Ready,SchedulingDisabled' : 'Ready')),
    column('Roles', () => '<none>'),
    column('Version', (one) => fields(status(one)['nodeInfo'])['kubeletVersion']),
  ],
  secrets: [column('Type', (one) => one['type']), column('Data', (one) => Object.keys(fields(one['data'])).length)],
  configmaps: [column('Data', (one) => Object.keys(fields(one['data'])).length)],
  events: [
    column('Type', (one) => one['type']),
    column('Reason', (one) => one['reason']),
    column('Object', (one) => {
      const about = fields(one['involvedObject'])
      return `${text(about['kind']).toLowerCase()}/${text(about['name'])}`
    }),
    column('Message', (one) => one['message']),
  ],
}

function podStatus(pod: KubeObject): string {
  if (pod.metadata.deletionTimestamp !== undefined) return 'Terminating'
  const waiting = fields(fields(items(status(pod)['containerStatuses'])[0]?.['state'])['waiting'])
  const phase = text(status(pod)['phase'])
  return or(text(waiting['reason']), phase === 'Succeeded' ? 'Completed' : phase)
}

function externalAddress(service: KubeObject): string {
  if (spec(service)['type'] !== 'LoadBalancer') return '<none>'
  return or(text(items(fields(status(service)['loadBalancer'])['ingress'])[0]?.['ip']), '<pending>')
}

function portText(port: Fields): string {
  const node = port['nodePort'] === undefined ? '' : `:${count(port['nodePort'])}`
  return `${count(port['port'])}${node}/${text(port['protocol'])}`
}

const shortModes: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO', ReadOnlyMany: 'ROX', ReadWriteMany: 'RWX', ReadWriteOncePod: 'RWOP',
}

function modes(value: unknown): string {
  return joined(Array.isArray(value) ? value.map((one) => shortModes[text(one)] ?? text(one)) : [])
}

/** `45s`, `3m20s`, `47m`, `5h12m`, `3d4h`: as kubectl words ages. */
function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(minutes / 60)
  const pair = (a: number, unitA: string, b: number, unitB: string): string => `${a}${unitA}${b === 0 ? '' : `${b}${unitB}`}`
  if (seconds < 120) return `${seconds}s`
  if (minutes < 10) return pair(minutes, 'm', seconds % 60, 's')
  if (hours < 3) return `${minutes}m`
  if (hours < 8) return pair(hours, 'h', minutes % 60, 'm')
  if (hours < 48) return `${hours}h`
  return pair(Math.floor(hours / 24), 'd', hours < 192 ? hours % 24 : 0, 'h')
}

/** Does a client ask for objects as rows of a table? */
export function wantsTable(accept: string | undefined): boolean {
  return (accept ?? '').split(',')[0]?.includes('as=Table') === true
}

/** Objects of a kind as the rows of a table; ages are in the world's time. */
export function tableOf(kind: Kind, objects: readonly KubeObject[], resourceVersion: string | undefined, nowMs: number): unknown {
  const shown = [name, ...(columns[kind.id] ?? []), age]
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: resourceVersion === undefined ? {} : { resourceVersion },
    columnDefinitions: shown.map((one) => ({
      name: one.name,
      type: 'string',
      format: one === name ? 'name' : '',
      description: one.name,
      priority: 0,
    })),
    rows: objects.map((object) => ({
      cells: shown.map((one) => one.of(object, nowMs)),
      object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: partial(object) },
    })),
  }
}

function partial(object: KubeObject): Fields {
  const { managedFields: _, ...rest } = object.metadata
  return { ...rest, labels: texts(rest.labels) }
}
