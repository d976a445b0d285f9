import { errorFacts, isPending, LifeboatError, type Change, type Demand, type Finding, type Pending } from '../../contract/index.js'
import { isWithin } from '../../platform/azure/ids.js'
import type { Platform } from '../../platform/platform.js'
import { groupOf } from '../step.js'

/** Actions at the name of a resource group, at the id of a resource, or at the subscription for what is yet to be made. */
export interface Need {
  readonly scope: string | Pending | undefined
  readonly actions: readonly string[]
}

/**
 * What several checks find. One that cannot be carried out is a finding by itself and hides none of the others; what may
 * pass is thrown on, for those who can wait.
 */
export async function together<T extends Finding | Demand = Finding>(
  ...checks: readonly Promise<readonly T[]>[]
): Promise<(T | Finding)[]> {
  const settled = await Promise.allSettled(checks)
  return settled.flatMap((one): readonly (T | Finding)[] => {
    if (one.status === 'fulfilled') return one.value
    if (one.reason instanceof LifeboatError && one.reason.retry !== undefined) throw one.reason
    const { message, hint } = errorFacts(one.reason)
    return [{ level: 'stop' as const, what: message, mend: hint ?? 'Try again once this can be read.' }]
  })
}

/** Does the credential have a role for all of it? */
export async function rightsFindings({ azure }: Platform, needs: readonly Need[]): Promise<Finding[]> {
  const found = await Promise.all(
    needs.map(async ({ scope, actions }): Promise<Finding[]> => {
      const at = isPending(scope) ? undefined : scope
      const missing = actions.length === 0 ? [] : await azure.rights.missing(at, actions)
      if (missing.length === 0) return []
      const where = at === undefined ? 'in this subscription' : `at ${at}`
      return [{ level: 'stop', what: `this login has no right to ${missing.join(', ')} ${where}`, mend: rightsMend }]
    }),
  )
  return found.flat()
}

const rightsMend =
  'Have somebody who may (an owner) give it a role with these actions there (az role assignment create); a role takes a while to be seen.'

/**
 * Is a management lock in the way? ReadOnly refuses every write at what it is set on and inside it, CanNotDelete deletions
 * (azure-docs, lock-resources). `scope` as in `Need`.
 */
export async function lockFindings({ azure }: Platform, scope: Need['scope'], changes: readonly Change[]): Promise<Finding[]> {
  const at = isPending(scope) ? undefined : scope
  const locks = await azure.groups.locks(at === undefined ? undefined : groupOf(at))
  const deletes = changes.some(({ action }) => action === 'delete')
  const held = locks.filter((lock) => (deletes || lock.level === 'ReadOnly') && (at?.startsWith('/') !== true || isWithin(at, lock.scope)))
  const holds = held.filter((lock) => at?.startsWith('/') === true || !/\/resourceGroups\/[^/]+\/./i.test(lock.scope))
  return holds.map(({ id, level }) => ({
    level: 'stop',
    what: `the management lock ${id} (${level}) refuses these changes`,
    mend: 'Have it removed until the failover is over: az lock delete --ids.',
  }))
}

/** `TYPE/write` for what is made or changed, `TYPE/delete` for what is deleted, of the changes whose label begins so. */
export function actionsFor(changes: readonly Change[], types: Readonly<Record<string, string>>): string[] {
  const actions = changes.flatMap(({ resource, action }) => {
    const type = types[resource.split(' ')[0] ?? '']
    return type === undefined ? [] : [`${type}/${action === 'delete' ? 'delete' : 'write'}`]
  })
  return [...new Set(actions)]
}

/** Is anything of it made or changed, rather than deleted? */
export function isMaking(changes: readonly Change[]): boolean {
  return changes.some(({ action }) => action !== 'delete')
}
