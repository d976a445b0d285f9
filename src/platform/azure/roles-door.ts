/** A role that a principal (a user, a group, an application, an identity) holds at a scope. */
export interface RoleAssignment {
  readonly id: string
  /** Id of what it is set on: subscription, group, resource, or a part of one. */
  readonly scope: string
  readonly principalId: string
  /** Id of the role's definition; its last word is the same everywhere. */
  readonly role: string
  /** By Azure's clock. Others see an assignment some time after this. */
  readonly createdAt: Date
}

export interface RoleDoor {
  /** Seen as soon as it is made, which lists do not promise. */
  get(id: string): Promise<RoleAssignment | undefined>
  /** Those that hold at a scope, set there or above; empty for what does not exist. */
  at(scope: string): Promise<readonly RoleAssignment[]>
  /** Resolves when it is made. One of the same three under another name is `azure.in-flight`. */
  assign(id: string, wanted: Pick<RoleAssignment, 'principalId' | 'role'> & { readonly principalType: string }): Promise<void>
  delete(id: string): Promise<void>
}
