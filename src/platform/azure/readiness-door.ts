/** Reads by which a plan tells, before anything is changed, what Azure would refuse. */
export interface RightsDoor {
  /**
   * Which of these actions (`Microsoft.Network/virtualNetworks/write`) the credential has no role for at a scope: the name
   * of a resource group, or the id of a resource. For what does not exist, and without a scope, the subscription is asked.
   */
  missing(scope: string | undefined, actions: readonly string[]): Promise<readonly string[]>
}
