import { shortened, within } from '../world/ids.js'
import { type World, WorldError } from '../world/world.js'

/** Refuses a write where a lock stands: one of a move (both groups, writes and deletes), or a management lock. */
export function assertWritable(world: World, method: string, path: string): void {
  const name = /^\/subscriptions\/[^/]+\/resourceGroups\/([^/]+)/i.exec(path)?.[1]
  const group = name === undefined ? undefined : world.group(name)
  if (group && group.locks.size > 0) throw scopeLocked(path, method === 'DELETE' ? 'delete' : 'write', group.id)
  assertUnlocked(world, method, path)
}

/** Management locks (`Microsoft.Authorization/locks`): CanNotDelete refuses deletes, ReadOnly everything but GET. */
export function assertUnlocked(world: World, method: string, path: string): void {
  if (/\/providers\/Microsoft\.Authorization\/locks\//i.test(path)) return
  const deleting = method === 'DELETE'
  const action = deleting ? 'delete' : 'write'
  const group = /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+$/i.test(path)
  for (const { id, scope, level } of managementLocks(world)) {
    // Deleting a group deletes what is locked inside it.
    const touches = within(path, scope) || (deleting && group && within(scope, path))
    if (!touches || (level !== 'ReadOnly' && !deleting)) continue
    world.hindrances.meets('lock', id, shortened(method, path))
    throw scopeLocked(path, action, scope)
  }
}

/** A move writes and deletes: refused where the groups or what is moved are locked, whatever the level. */
export function assertMovable(world: World, groups: readonly string[], resources: readonly string[]): void {
  for (const { id, scope } of managementLocks(world)) {
    const held = [...groups, ...resources].find((one) => within(one, scope))
    if (held === undefined) continue
    world.hindrances.meets('lock', id, shortened('a move of', held))
    throw scopeLocked(held, 'delete', scope)
  }
}

function managementLocks(world: World): { id: string; scope: string; level: unknown }[] {
  return world.ofType('Microsoft.Authorization/locks').map(({ id, properties }) => ({
    id,
    scope: id.slice(0, id.toLowerCase().lastIndexOf('/providers/microsoft.authorization/locks/')),
    level: properties['level'],
  }))
}

/** Refuses a change of something that lies in a group that a move has locked, whatever the path of the request. */
export function assertNotMoving(world: World, id: string): void {
  const name = /\/resourceGroups\/([^/]+)/i.exec(id)?.[1]
  const group = name === undefined ? undefined : world.group(name)
  if (group && group.locks.size > 0) throw scopeLocked(id, 'write', group.id)
}

function scopeLocked(what: string, action: string, scope: string): WorldError {
  const message =
    `The scope '${what}' cannot perform ${action} operation because following scope(s) are locked: '${scope}'. ` +
    'Please remove the lock and try again.'
  return new WorldError(409, 'ScopeLocked', message)
}
