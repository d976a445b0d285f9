import type { Route } from './wire.js'

export interface Found {
  readonly route: Route
  readonly params: Record<string, string>
}

/** Finds the route of a request; the first that fits wins. Literal segments are compared without regard to case. */
export function makeRouter(routes: readonly Route[]): (method: string, path: string) => Found | 'method' | undefined {
  const prepared = routes.map((route) => ({ route, parts: route.pattern.split('/').filter((part) => part !== '') }))
  return (method, path) => {
    const segments = path.split('/').filter((part) => part !== '')
    let otherMethod = false
    for (const { route, parts } of prepared) {
      const params = match(parts, segments)
      if (!params) continue
      if (route.method === method) return { route, params }
      otherMethod = true
    }
    return otherMethod ? 'method' : undefined
  }
}

function match(parts: readonly string[], segments: readonly string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {}
  for (const [at, part] of parts.entries()) {
    const segment = segments[at]
    if (segment === undefined) return undefined
    if (part.endsWith('*}')) {
      params[part.slice(1, -2)] = segments.slice(at).join('/')
      return params
    }
    if (part.startsWith('{')) params[part.slice(1, -1)] = segment
    else if (part.toLowerCase() !== segment.toLowerCase()) return undefined
  }
  return parts.length === segments.length ? params : undefined
}
