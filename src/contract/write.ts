/**
 * One write to the outside, told in the same words before and after it is made: a request that changes something, or what a
 * program is told to do. In a prediction `*` stands for text that is not known yet.
 */
export type Write = RequestWrite | CommandWrite

export interface RequestWrite {
  /** PUT, PATCH, POST or DELETE. */
  readonly method: string
  /** Relative to the run's subscription, an action at its end: `resourceGroups/G/providers/Microsoft.Compute/virtualMachines/N/start`. */
  readonly path: string
}

export interface CommandWrite {
  /** The program, with what it is told to do where it can do several things: `zpool export`, `helm upgrade`, `exportfs`. */
  readonly command: string
  /** `GROUP/NAME` of the machine on which it runs, `NAMESPACE/RELEASE`, or what else it is done to. */
  readonly on?: string
}

/** `PUT resourceGroups/G/…`, `zpool export on G/nfsserver`: two that read the same, but for upper case, are the same write. */
export function sayWrite(write: Write): string {
  if ('method' in write) return `${write.method} ${write.path}`
  return write.on === undefined ? write.command : `${write.command} on ${write.on}`
}
