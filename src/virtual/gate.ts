/** One thing that a life of a run asks of the outside. */
export interface RemoteCall {
  readonly door: 'arm' | 'exec' | 'http' | 'dns' | 'journal'
  /** The same in every run that does the same: no paths of private folders, no random names. */
  readonly what: string
  readonly writes: boolean
  /** Of an append to the journal: how long it is. */
  readonly bytes?: number
}

/** Stands between one life of a run and everything outside; closes for ever when that life is killed. */
export interface Gate {
  /** Names the life that it closes with; of one of its own each. */
  readonly name?: string
  /** What `send` answers. A killed life's call never settles: neither one that waits to be sent nor one whose answer is under way. */
  through<T>(call: RemoteCall, send: () => Promise<T>): Promise<T>
}

/** A gate that is always open. */
export const openGate: Gate = { through: (_call, send) => send() }
