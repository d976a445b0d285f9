import { sameId, within } from '../world/ids.js'
import { type World, WorldError } from '../world/world.js'

/**
 * Refuses a write where a lock stands: one of a move (both groups, writes and deletes), or a management lock
 * (`Microsoft.Authorization/locks`: CanNotDelete refuses deletes, ReadOnly everything).
 */
export function assertWritable(world: World, method: string, path: string): void {
  const name = /^\/subscriptions\/[^/]+\/resourceGroups\/([^/]+)/i.exec(path)?.[1]
  const group = name === undefined ? undefined : world.group(name)
  if (!group) return
  const deleting = method === 'DELETE'
  const action = deleting ? 'delete' : 'write'
  if (group.locks.size > 0) throw scopeLocked(path, action, group.id)
  if (/\/providers\/Microsoft\.Authorization\/locks\//i.test(path)) return
  for (const lock of world.ofType('Microsoft.Authorization/locks')) {
    const scope = lock.id.slice(0, lock.id.toLowerCase().lastIndexOf('/providers/microsoft.authorization/locks/'))
    // Deleting a group deletes what is locked inside it.
    const touches = within(path, scope) || (deleting && sameId(path, group.id) && within(scope, path))
    if (touches && (lock.properties['level'] === 'ReadOnly' || deleting)) throw scopeLocked(path, action, scope)
  }
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
