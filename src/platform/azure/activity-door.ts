/** Something that did not come about, as the activity log has it. */
export interface Failure {
  readonly at: Date
  /** `Microsoft.Compute/virtualMachineScaleSets/write` */
  readonly operation: string
  /** The innermost that is told: `AllocationFailed`. */
  readonly code: string
  readonly message: string
}

export interface ActivityDoor {
  /** What has failed at a resource, or in a resource group, since then; newest first. The log is some minutes behind. */
  failures(id: string, since: Date): Promise<readonly Failure[]>
  /** Has a resource been made or changed since then, to the end and without failing? */
  wasWritten(id: string, since: Date): Promise<boolean>
}
