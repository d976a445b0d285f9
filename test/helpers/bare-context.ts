import type { Clock, ReadContext } from '../../src/contract/index.js'

/** What a step is given to look with that needs no doors and has no secrets. */
export function bareContext(clock: Clock): ReadContext<unknown> {
  return {
    doors: undefined,
    clock,
    signal: new AbortController().signal,
    progress: () => undefined,
    accepted: new Set(),
    overPrograms: () => [],
    secret: () => Promise.reject(new Error('it has none')),
  }
}
