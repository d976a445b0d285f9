import { LifeboatError } from '../../contract/index.js'
import { askAll, type Asking } from './ask.js'
import type { ManagementLock } from './door.js'
import { isWithin } from './ids.js'

/** All locks of the subscription at once: those of a group come from above it too, and one list serves every group of a plan. */
export async function listLocks(session: Asking): Promise<ManagementLock[]> {
  const path = `/subscriptions/${session.subscription}/providers/Microsoft.Authorization/locks`
  const found = await askAll<WireLock>(session, { doing: 'reading the management locks', path, apiVersion: '2016-09-01' })
  return found.map(({ id, properties }) => ({ id, scope: id.replace(/\/providers\/Microsoft\.Authorization\/locks\/[^/]+$/i, ''), level: properties?.level ?? '' }))
}

interface WireLock {
  readonly id: string
  readonly properties?: { readonly level?: string }
}

/**
 * A refusal by a lock, made clearer. A lock that people have set stays until they take it away: the step stops and names it. The lock of
 * a move goes by itself, and is not in the list.
 */
export async function withLock(session: Asking, refused: LifeboatError): Promise<LifeboatError> {
  const scopes = [...refused.message.matchAll(/'(\/subscriptions\/[^']+)'/g)].map(([, scope = '']) => scope)
  const locks = await listLocks(session).catch(() => [])
  const held = locks.find((lock) => scopes.some((scope) => isWithin(scope, lock.scope)))
  if (held === undefined) return refused
  return new LifeboatError(refused.code, `${refused.message} (${held.level} lock ${held.id})`, {
    blame: 'user',
    cause: refused,
    hint: `Somebody has set it, and only people take it away: az lock delete --ids ${held.id}; then resume.`,
  })
}
