import type { Kind } from '../kinds.js'
import { copy, fields, isFields, items, same, type Fields, type KubeObject } from '../object.js'
import { rootOf, structOf, type Struct, type Type } from '../schema/index.js'
import { KubeError } from '../status.js'
import { managersOf, toManagedFields, type Manager } from './managed.js'
import { join, keyPart, leavesOf, readable, split, within, type Path } from './paths.js'

export interface ApplyOptions {
  readonly manager: string
  readonly force: boolean
  readonly time: string
}

/**
 * Server-side apply: lays what is applied over what is there, takes away what this manager applied before and now leaves out, and
 * refuses with 409 to change what another manager owns, unless forced. The object comes back with its new `managedFields`.
 */
export function serverSideApply(kind: Kind, live: KubeObject | undefined, applied: KubeObject, options: ApplyOptions): KubeObject {
  const wanted = leavesOf(kind, applied)
  const current = live === undefined ? new Map<Path, unknown>() : leavesOf(kind, live)
  const managers = managersOf(live)
  const mine = managers.find((one) => one.name === options.manager && one.operation === 'Apply')
  const others = managers.filter((one) => one !== mine)
  const contested = [...wanted].filter(([path, value]) => !same(current.get(path), value)).map(([path]) => path)
  const conflicts = others.flatMap((one) => contested.filter((path) => one.owned.has(path)).map((path) => ({ manager: one, path })))
  if (conflicts.length > 0 && !options.force) throw applyConflict(conflicts)
  const merged = live === undefined ? copy(applied) : (mergeStruct(rootOf(kind), live, applied) as KubeObject)
  const left = others.map((one) => ({ ...one, owned: without(one.owned, conflicts.map((each) => each.path)) }))
  const gone = [...(mine?.owned ?? [])].filter((path) => !wanted.has(path) && !left.some((one) => one.owned.has(path)))
  const kept = [...wanted.keys(), ...left.flatMap((one) => [...one.owned])]
  for (const path of gone.sort((a, b) => split(b).length - split(a).length)) removeAt(merged, path, kept)
  const owned = new Set(wanted.keys())
  const unchanged = mine !== undefined && same([...mine.owned].sort(), [...owned].sort())
  const entry: Manager = {
    name: options.manager,
    operation: 'Apply',
    apiVersion: kind.apiVersion,
    time: unchanged ? mine.time : options.time,
    owned,
  }
  merged.metadata.managedFields = toManagedFields([...left, entry])
  return merged
}

function without(owned: ReadonlySet<Path>, taken: readonly Path[]): Set<Path> {
  return new Set([...owned].filter((path) => !taken.includes(path)))
}

function applyConflict(conflicts: readonly { manager: Manager; path: Path }[]): KubeError {
  const whom = ({ manager }: { manager: Manager }): string => `conflict with "${manager.name}" using ${manager.apiVersion}`
  const lines = conflicts.map((one) => `${whom(one)}: ${readable(one.path)}`)
  const words = conflicts.length === 1 ? `1 conflict: ${lines[0] ?? ''}` : `${conflicts.length} conflicts: ${lines.join('\n')}`
  return new KubeError(409, 'Conflict', `Apply failed with ${words}`, {
    causes: conflicts.map((one) => ({ reason: 'FieldManagerConflict', message: whom(one), field: readable(one.path) })),
  })
}

function mergeStruct(struct: Struct, live: Fields, applied: Fields): Fields {
  const merged: Fields = { ...live }
  for (const [name, value] of Object.entries(applied)) {
    const type = struct.get(name)
    merged[name] = type === undefined ? value : mergeValue(type, live[name], value)
  }
  return merged
}

function mergeValue(type: Type, live: unknown, applied: unknown): unknown {
  if (type.is === 'struct' && !type.atomic && isFields(live) && isFields(applied)) return mergeStruct(structOf(type.name), live, applied)
  if (type.is === 'map' && !type.atomic && isFields(live) && isFields(applied)) {
    return { ...live, ...Object.fromEntries(Object.entries(applied).map(([key, one]) => [key, mergeValue(type.of, live[key], one)])) }
  }
  if (type.is === 'set' && Array.isArray(live) && Array.isArray(applied)) {
    return [...new Set([...(live as unknown[]), ...(applied as unknown[])])]
  }
  if (type.is === 'list' && type.keys.length > 0 && Array.isArray(live) && Array.isArray(applied)) {
    const byKey = new Map(items(live).map((one) => [keyPart(type.keys, one), one]))
    const first = items(applied).map((one) => {
      const key = keyPart(type.keys, one)
      const there = byKey.get(key)
      byKey.delete(key)
      return there === undefined ? one : mergeValue(type.of, there, one)
    })
    return [...first, ...byKey.values()]
  }
  return applied
}

/**
 * Takes away what lies at a path. What stays empty around it goes too, and what the server had filled in beside it, as long as
 * nobody wants anything in there.
 */
function removeAt(object: KubeObject, path: Path, kept: readonly Path[]): void {
  const parts = split(path)
  let length = parts.length
  const wantedAt = (upTo: number): boolean => {
    const outer = join(parts.slice(0, upTo))
    return kept.some((one) => within(one, outer))
  }
  if (wantedAt(length)) return
  // Up to the item of a list or the top of the object: those are not emptied for want of one field. Nor are labels and
  // annotations, in which controllers write as well.
  while (length > 2 && parts[0] !== 'f:metadata' && !(parts[length - 2] ?? '').startsWith('k:') && !wantedAt(length - 1)) length -= 1
  let at: unknown = object
  for (const part of parts.slice(0, length - 1)) at = step(at, part)
  const last = parts[length - 1] ?? ''
  if (last.startsWith('f:') && isFields(at)) Reflect.deleteProperty(at, last.slice(2))
  else if (Array.isArray(at)) {
    const index = indexOf(at as unknown[], last)
    if (index >= 0) at.splice(index, 1)
  }
}

function step(at: unknown, part: string): unknown {
  if (part.startsWith('f:')) return fields(at)[part.slice(2)]
  return Array.isArray(at) ? (at as unknown[])[indexOf(at as unknown[], part)] : undefined
}

function indexOf(list: readonly unknown[], part: string): number {
  const key: unknown = JSON.parse(part.slice(2))
  if (part.startsWith('v:')) return list.findIndex((one) => same(one, key))
  return list.findIndex((one) =>
    Object.entries(fields(key)).every(([name, value]) => (fields(one)[name] ?? (name === 'protocol' ? 'TCP' : undefined)) === value),
  )
}
