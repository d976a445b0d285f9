import type { Kind } from '../kinds.js'
import { fields, same, type KubeObject, type ManagedFields } from '../object.js'
import { fromFieldsV1, leavesOf, toFieldsV1, type Path } from './paths.js'

/** Who owns which fields of an object: one entry a manager and way of writing. */
export interface Manager {
  readonly name: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly time: string
  readonly owned: Set<Path>
}

/** What `metadata.managedFields` says; entries of subresources are not kept. */
export function managersOf(object: KubeObject | undefined): Manager[] {
  return (object?.metadata.managedFields ?? []).map((one) => ({
    name: one.manager,
    operation: one.operation,
    apiVersion: one.apiVersion ?? '',
    time: one.time ?? '',
    owned: fromFieldsV1(one.fieldsV1),
  }))
}

/** Managers that own nothing are left out. */
export function toManagedFields(managers: readonly Manager[]): ManagedFields[] {
  return managers
    .filter((one) => one.owned.size > 0)
    .map((one) => ({
      manager: one.name,
      operation: one.operation,
      apiVersion: one.apiVersion,
      time: one.time,
      fieldsType: 'FieldsV1',
      fieldsV1: toFieldsV1(one.owned),
    }))
}

/**
 * After a create, replace or patch: what changed belongs to whoever changed it, and to nobody else any more. Returns the new
 * `managedFields`; the clients' own word counts where they set them on purpose (helm 4 does, to take over from helm 3).
 */
export function trackUpdate(kind: Kind, before: KubeObject | undefined, after: KubeObject, manager: string, time: string): ManagedFields[] {
  const said = after.metadata.managedFields
  if (said !== undefined && before !== undefined && !same(said, before.metadata.managedFields)) return said.filter((one) => one.fieldsV1)
  const old = before === undefined ? new Map<Path, unknown>() : leavesOf(kind, fields(before))
  const now = leavesOf(kind, fields(after))
  const changed = new Set([...now].filter(([path, value]) => !old.has(path) || !same(old.get(path), value)).map(([path]) => path))
  const gone = new Set([...old.keys()].filter((path) => !now.has(path)))
  const managers = managersOf(before)
  if (changed.size === 0 && gone.size === 0) return toManagedFields(managers)
  const mine = managers.find((one) => one.name === manager && one.operation === 'Update')
  const others = managers
    .filter((one) => one !== mine)
    .map((one) => ({ ...one, owned: new Set([...one.owned].filter((path) => !changed.has(path) && !gone.has(path))) }))
  const owned = new Set([...(mine?.owned ?? []), ...changed].filter((path) => !gone.has(path)))
  return toManagedFields([...others, { name: manager, operation: 'Update', apiVersion: kind.apiVersion, time, owned }])
}
