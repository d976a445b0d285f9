/**
 * Time as a run sees it. A run's clock is its cloud's clock: in a world at speed 30 a sleep of 30 s takes one real
 * second. Liveness of locks and validity of tokens are real time, so both are here.
 */
export interface Clock {
  /** The run's clock. */
  now(): Date
  /** The wall clock of this machine. */
  realNow(): Date
  /** Sleeps `ms` of the run's clock; rejects with the signal's reason as soon as it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Sleeps `ms` of real time: for `Retry-After` and lock liveness, which are real on every cloud. */
  sleepReal(ms: number, signal?: AbortSignal): Promise<void>
  /** Real milliseconds in which `ms` of the run's clock pass. */
  toReal(ms: number): number
}
