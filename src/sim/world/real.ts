import type { Duplex } from 'node:stream'
import type { Host } from './model.js'
import type { ShellResult } from './shell.js'

/** Machines that are more than entries of the world: the lab's (`sim/lab`). */
export interface RealMachines {
  /** Carries one connection to the machine's own sshd. */
  forward(host: Host, stream: Duplex): void
  /** Runs a script as root, as `runCommand` does. */
  run(machine: string, script: string): Promise<ShellResult>
  /**
   * Resolves when the machines are as the world says (powered, plugged) and the world knows of pools and exports what the machines
   * say. Whoever asks the world anything waits for it, so that nobody sees the one without the other.
   */
  settled(): Promise<void>
}
