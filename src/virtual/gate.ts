/** One thing that a run asks of the outside. */
export interface RemoteCall {
  readonly door: 'arm' | 'exec' | 'http' | 'dns' | 'journal'
  /** `PUT /subscriptions/…`, a command line, a URL; for people. */
  readonly what: string
  readonly writes: boolean
}

/** Stands between one life of a run and everything outside of it; closes for ever when that life is killed. */
export interface Gate {
  /** What `send` answers. Of a life that is over, or ends meanwhile, it never settles. */
  through<T>(call: RemoteCall, send: () => Promise<T>): Promise<T>
}
