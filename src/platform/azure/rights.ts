import { ask } from './ask.js'
import type { RightsDoor } from './readiness-door.js'
import type { AzureSession } from './session.js'

interface Permissions {
  readonly value?: readonly { readonly actions?: readonly string[]; readonly notActions?: readonly string[] }[]
}

export function openRights(session: AzureSession): RightsDoor {
  const subscription = `/subscriptions/${session.subscription}`

  function rolesAt(scope: string): Promise<Permissions | undefined> {
    const path = `${scope}/providers/Microsoft.Authorization/permissions`
    return ask<Permissions>(session, { doing: `reading what this login may do at ${scope}`, path, apiVersion: '2022-04-01' })
  }

  return {
    async missing(scope, actions) {
      // What does not exist has the roles of what it will be in; a group's are those of the subscription until it is there.
      const group = scope === undefined ? undefined : groupPath(subscription, scope)
      const places = [...new Set([scope?.startsWith('/') === true ? scope : undefined, group, subscription])]
      for (const place of places) {
        const roles = place === undefined ? undefined : await rolesAt(place)
        if (roles !== undefined) return actions.filter((action) => !isGranted(roles.value ?? [], action))
      }
      return actions
    },
  }
}

function groupPath(subscription: string, scope: string): string {
  if (!scope.startsWith('/')) return `${subscription}/resourceGroups/${scope}`
  return /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+/i.exec(scope)?.[0] ?? subscription
}

/** A role grants its actions without its notActions; what one role leaves out another may grant (azure-docs, role-definitions). */
export function isGranted(roles: NonNullable<Permissions['value']>, action: string): boolean {
  const has = (patterns: readonly string[] = []): boolean => patterns.some((pattern) => fits(pattern, action))
  return roles.some(({ actions, notActions }) => has(actions) && !has(notActions))
}

/** `*` stands for any text, slashes too; case is no matter. */
function fits(pattern: string, action: string): boolean {
  const escaped = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${escaped.join('.*')}$`, 'i').test(action)
}
