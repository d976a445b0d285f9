/** Built-in roles of Azure (azure-docs, built-in-roles): by the id of their definition, which is the same in every tenant. */
export interface BuiltInRole {
  readonly name: string
  readonly actions: readonly string[]
  readonly notActions: readonly string[]
}

const grants = (name: string, actions: readonly string[], notActions: readonly string[] = []): BuiltInRole => ({
  name,
  actions,
  notActions,
})

export const builtInRoles: Readonly<Record<string, BuiltInRole>> = {
  '8e3af657-a8ff-443c-a75c-2fe8c4bcb635': grants('Owner', ['*']),
  'b24988ac-6180-42a0-ab88-20f7382dd24c': grants('Contributor', ['*'], [
    'Microsoft.Authorization/*/Delete',
    'Microsoft.Authorization/*/Write',
    'Microsoft.Authorization/elevateAccess/Action',
  ]),
  'acdd72a7-3385-48ef-bd42-f606fba81ae7': grants('Reader', ['*/read']),
  '4d97b98b-1d4f-4787-a291-c67834d212e7': grants('Network Contributor', [
    'Microsoft.Authorization/*/read',
    'Microsoft.Network/*',
    'Microsoft.ResourceHealth/availabilityStatuses/read',
    'Microsoft.Resources/deployments/*',
    'Microsoft.Resources/subscriptions/resourceGroups/read',
  ]),
  'f1a07417-d97a-45cb-824c-7a7467783830': grants('Managed Identity Operator', [
    'Microsoft.ManagedIdentity/userAssignedIdentities/*/read',
    'Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action',
    'Microsoft.Resources/subscriptions/resourceGroups/read',
  ]),
}

/** Does a pattern of a role (`Microsoft.Network/*`) cover an action? `*` stands for any text. */
export function coversAction(pattern: string, action: string): boolean {
  const escaped = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${escaped.join('.*')}$`, 'i').test(action)
}
