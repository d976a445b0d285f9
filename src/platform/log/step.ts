import { AsyncLocalStorage } from 'node:async_hooks'

const working = new AsyncLocalStorage<string>()

/** The step for which this is being done; `site` for what belongs to none. */
export function stepAtWork(): string {
  return working.getStore() ?? 'site'
}

/**
 * A door whose every call is done for this step: what it sends and starts is logged as the step's, however deep below. Its parts are made
 * when they are first asked for: a step asks few of a hundred.
 */
export function workingFor<T extends object>(step: string, door: T): T {
  const bound = new Map<PropertyKey, unknown>()
  return new Proxy(door, {
    get(target, name) {
      if (!bound.has(name)) bound.set(name, boundTo(step, target, (target as Record<PropertyKey, unknown>)[name]))
      return bound.get(name)
    },
  })
}

function boundTo(step: string, door: object, part: unknown): unknown {
  if (typeof part === 'function') return (...given: unknown[]): unknown => working.run(step, () => part.apply(door, given) as unknown)
  return typeof part === 'object' && part !== null ? workingFor(step, part) : part
}
