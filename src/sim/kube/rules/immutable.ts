import type { Kind } from '../kinds.js'
import { fields, same, type Fields, type KubeObject } from '../object.js'
import type { Cause } from '../status.js'
import { volumeSources } from './validate.js'

const immutable = 'field is immutable'

function forbid(field: string, why: string): Cause {
  return { field, message: `Forbidden: ${why}`, reason: 'FieldValueForbidden' }
}

function fixed(before: Fields, after: Fields, names: readonly string[], at: string): Cause[] {
  return names
    .filter((name) => !same(before[name], after[name]))
    .map((name) => ({
      field: `${at}${name}`,
      message: `Invalid value: ${JSON.stringify(after[name] ?? null)}: ${immutable}`,
      reason: 'FieldValueInvalid' as const,
    }))
}

function without(object: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)))
}

const statefulSetMay = [
  'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy', 'minReadySeconds',
]

/** What cannot be edited once it is made: every finding, as the server words it. */
export function immutableChanges(kind: Kind, before: KubeObject, after: KubeObject): Cause[] {
  const was = fields(before['spec'])
  const is = fields(after['spec'])
  switch (kind.id) {
    case 'deployments.apps':
    case 'replicasets.apps':
    case 'daemonsets.apps':
      return fixed(was, is, ['selector'], 'spec.')
    case 'statefulsets.apps': {
      if (same(without(was, statefulSetMay), without(is, statefulSetMay))) return []
      const list = statefulSetMay.map((name) => `'${name}'`)
      const may = `${list.slice(0, -1).join(', ')} and ${list.at(-1) ?? ''}`
      return [forbid('spec', `updates to statefulset spec for fields other than ${may} are forbidden`)]
    }
    case 'jobs.batch':
      return fixed(was, is, ['selector', 'template', 'completionMode'], 'spec.')
    case 'persistentvolumes':
      // The rule that makes a new NFS address a new volume.
      if (volumeSources.some((name) => !same(was[name], is[name]))) {
        return [forbid('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation')]
      }
      return fixed(was, is, ['volumeMode'], 'spec.')
    case 'persistentvolumeclaims': {
      const bound = was['volumeName'] === undefined ? ['resources', 'volumeName'] : ['resources']
      const may = [...bound, 'volumeAttributesClassName']
      if (same(without(was, may), without(is, may))) return []
      return [forbid('spec', 'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims')]
    }
    case 'services':
      return was['type'] === is['type'] && is['type'] !== 'ExternalName' ? fixed(was, is, ['clusterIP'], 'spec.') : []
    case 'pods':
      return podChanges(was, is)
    case 'secrets':
      return [...fixed(before, after, ['type'], ''), ...sealed(before, after, ['data', 'type'])]
    case 'configmaps':
      return sealed(before, after, ['data', 'binaryData'])
    case 'rolebindings.rbac.authorization.k8s.io':
    case 'clusterrolebindings.rbac.authorization.k8s.io':
      return same(before['roleRef'], after['roleRef'])
        ? []
        : [{ field: 'roleRef', message: `Invalid value: ${JSON.stringify(after['roleRef'])}: cannot change roleRef`, reason: 'FieldValueInvalid' }]
    case 'storageclasses.storage.k8s.io':
      return ['parameters', 'provisioner', 'reclaimPolicy', 'volumeBindingMode']
        .filter((name) => !same(before[name], after[name]))
        .map((name) => forbid(name, `updates to ${name} are forbidden.`))
    case 'priorityclasses.scheduling.k8s.io':
      return same(before['value'], after['value']) ? [] : [forbid('value', 'may not be changed in an update.')]
    default:
      return []
  }
}

function sealed(before: KubeObject, after: KubeObject, names: readonly string[]): Cause[] {
  if (before['immutable'] !== true) return []
  return [...names, 'immutable']
    .filter((name) => !same(before[name], after[name]))
    .map((name) => forbid(name, 'field is immutable when `immutable` is set'))
}

function podChanges(was: Fields, is: Fields): Cause[] {
  const may = ['activeDeadlineSeconds', 'terminationGracePeriodSeconds', 'tolerations', 'nodeName']
  const bare = (spec: Fields): Fields => {
    const rest = without(spec, may)
    for (const group of ['containers', 'initContainers']) {
      if (Array.isArray(rest[group])) rest[group] = rest[group].map((one: unknown) => without(fields(one), ['image']))
    }
    return rest
  }
  if (same(bare(was), bare(is))) return []
  return [forbid('spec', 'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,'
    + '`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds`')]
}
