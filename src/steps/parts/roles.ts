import { createHash } from 'node:crypto'

/** Built-in roles by name, with the id of their definition, the same in every tenant (azure-docs, built-in-roles). */
const builtIn: Readonly<Record<string, string>> = {
  Owner: '8e3af657-a8ff-443c-a75c-2fe8c4bcb635',
  Contributor: 'b24988ac-6180-42a0-ab88-20f7382dd24c',
  Reader: 'acdd72a7-3385-48ef-bd42-f606fba81ae7',
  'Network Contributor': '4d97b98b-1d4f-4787-a291-c67834d212e7',
  'Managed Identity Operator': 'f1a07417-d97a-45cb-824c-7a7467783830',
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

export const knownRoles: readonly string[] = Object.keys(builtIn)

/** The GUID of a role's definition: of a built-in role by its name, or the GUID itself. Undefined for what is neither. */
export function roleGuid(role: string): string | undefined {
  return builtIn[role] ?? (uuid.test(role) ? role.toLowerCase() : undefined)
}

/** Is that the role's definition, wherever Azure writes it from? */
export function isRole(definitionId: string, guid: string): boolean {
  return definitionId.split('/').at(-1)?.toLowerCase() === guid
}

/**
 * The name under which a role assignment is made: a GUID (RFC 9562, version 8) that follows from its three parts, so that a
 * run that starts afresh finds what an earlier one made.
 */
export function assignmentName(scope: string, principalId: string, guid: string): string {
  const hex = createHash('sha256').update(`lifeboat ${scope} ${principalId} ${guid}`.toLowerCase()).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-')
}
