import { LifeboatError } from '../../contract/index.js'
import { askAll } from './ask.js'
import { begun } from './pollers.js'
import type { RoleAssignment, RoleDoor } from './roles-door.js'
import type { AzureSession } from './session.js'

const apiVersion = '2022-04-01'
const suffix = /\/providers\/Microsoft\.Authorization\/roleAssignments\/[^/]+$/i

interface Wire {
  readonly id?: string
  readonly properties?: {
    readonly principalId?: string
    readonly roleDefinitionId?: string
    readonly scope?: string
    readonly createdOn?: string
  }
}

/** Azure's RBAC. Its assignments are no resources of a group: they have no tags and no place. */
export function openRoles(session: AzureSession): RoleDoor {
  const own = (id: string): string => {
    const subscription = /^\/subscriptions\/([^/]+)/i.exec(id)?.[1] ?? ''
    if (subscription.toLowerCase() === session.subscription.toLowerCase()) return id
    throw new LifeboatError('azure.other-subscription', `${id} is not in subscription ${session.subscription}`, {
      blame: 'user',
      hint: 'A run works in one subscription, the one under `azure` in the runbook.',
    })
  }
  return {
    async get(id) {
      const found = await session.read('reading a role assignment', async () => (await session.resources()).resources.getById(own(id), apiVersion))
      return found === undefined ? undefined : assignmentOf(found)
    },
    async at(scope) {
      const path = `${own(scope)}/providers/Microsoft.Authorization/roleAssignments`
      const found = await askAll<Wire>(session, { doing: `reading the role assignments at ${scope}`, path, apiVersion, query: { $filter: 'atScope()' } })
      return found.map(assignmentOf)
    },
    async assign(id, { principalId, role, principalType }) {
      // The type spares Azure a look into the directory, where a new identity is not yet to be found (azure-docs, role-assignments-rest).
      const properties = { principalId, roleDefinitionId: role, principalType }
      const operation = await session.start(`assigning a role at ${id.replace(suffix, '')}`, async () =>
        begun((await session.resources()).resources.beginCreateOrUpdateById(own(id), apiVersion, { properties })),
      )
      await operation.done
    },
    async delete(id) {
      const operation = await session.remove('taking a role assignment away', async () =>
        begun((await session.resources()).resources.beginDeleteById(own(id), apiVersion)),
      )
      await operation.done
    },
  }
}

function assignmentOf({ id = '', properties = {} }: Wire): RoleAssignment {
  const { principalId = '', roleDefinitionId = '', scope = id.replace(suffix, ''), createdOn } = properties
  return { id, scope, principalId, role: roleDefinitionId, createdAt: createdOn === undefined ? new Date(0) : new Date(createdOn) }
}
