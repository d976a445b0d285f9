/** Doors that a test does not expect to be used: whoever uses one fails. */
export function anyRequestOf<T extends object>(names: readonly (keyof T)[]): T {
  const refuse = (name: PropertyKey): object =>
    new Proxy({}, {
      get: (_target, key) => {
        throw new Error(`nobody was to use ${String(name)}.${String(key)}`)
      },
    })
  return Object.fromEntries(names.map((name) => [name, refuse(name)])) as T
}
