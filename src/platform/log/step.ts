import { AsyncLocalStorage } from 'node:async_hooks'

const working = new AsyncLocalStorage<string>()

/** The step for which this is being done; `site` for what belongs to none. */
export function stepAtWork(): string {
  return working.getStore() ?? 'site'
}

/** A door whose every call is done for this step: what it sends and starts is logged as the step's, however deep below. */
export function workingFor<T extends object>(step: string, door: T): T {
  const bound = Object.entries(door).map(([name, part]: [string, unknown]) => {
    if (typeof part === 'function') {
      return [name, (...given: unknown[]): unknown => working.run(step, () => part.apply(door, given) as unknown)]
    }
    return [name, typeof part === 'object' && part !== null ? workingFor(step, part) : part]
  })
  return Object.fromEntries(bound) as T
}
