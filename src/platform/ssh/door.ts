/**
 * SSH by the machine's Azure resource id, never by address: old and new server both are 10.240.0.7. The door finds the way
 * into that machine's network in the cloud file and demands the host key that was read through the control plane.
 */
export interface SshDoor {
  /** Runs a command that only reads. */
  read(host: SshHost, command: readonly string[], options?: SshOptions): Promise<SshResult>
  /**
   * Runs commands that change the host, one after the other up to the first that fails, under the host's own lock, so that a
   * survivor of an earlier try cannot run beside them. A connection that breaks in the middle throws `ssh.interrupted`: they may
   * still be running.
   */
  write(host: SshHost, commands: readonly (readonly string[])[], options?: SshOptions): Promise<SshResult>
  /** The virtual networks that there is a way into, by resource id, as the cloud file names them. */
  networks(): readonly string[]
  /**
   * Logs in on the jump host of a network, without going further: the machine behind it need not exist yet. Throws
   * `ssh.no-way`, `ssh.unreachable`, `ssh.denied`, `ssh.host-key`.
   */
  tryJump(network: string, login: Omit<SshHost, 'machine'>): Promise<void>
  /** Which client is used; throws `ssh.missing`. `version` is `9.2` of `OpenSSH_9.2p1`, empty if it does not say. */
  version(): Promise<{ readonly path: string; readonly version: string }>
}

export interface SshHost {
  /** Resource id of the virtual machine. */
  readonly machine: string
  readonly user: string
  /** Path of the private key. */
  readonly key: string
}

export interface SshOptions {
  /** Milliseconds of the run's clock, at least 60 real seconds are given. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  readonly input?: string
}

/** The host's own lock: whatever changes the host runs under it, also what outlived an earlier run of ours. */
export const hostLock = '/run/lock/lifeboat.lock'

/** A command that ran to its end. An exit code other than 0 is an answer, not an error. */
export interface SshResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}
