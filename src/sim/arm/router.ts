import { remembering } from './remembering.js'
import type { Route } from './wire.js'

export interface Found {
  readonly route: Route
  readonly params: Readonly<Record<string, string>>
}

/** A segment of a pattern: what must stand there, in lower case; or what is there is called so; or all that follows is. */
type Part = { readonly literal: string } | { readonly name: string } | { readonly rest: string }

/** Finds the route of a request; the first that fits wins. Literal segments are compared without regard to case. */
export function makeRouter(routes: readonly Route[]): (method: string, path: string) => Found | 'method' | undefined {
  const prepared = routes.map((route) => ({ route, parts: segmentsOf(route.pattern).map(partOf) }))
  const fitting = remembering((path) => {
    const segments = segmentsOf(path)
    const lower = segments.map((segment) => segment.toLowerCase())
    return prepared.filter(({ parts }) => fits(parts, lower)).map(({ route, parts }) => ({ route, params: paramsOf(parts, segments) }))
  })
  return (method, path) => {
    const found = fitting(path)
    return found.find(({ route }) => route.method === method) ?? (found.length > 0 ? 'method' : undefined)
  }
}

function segmentsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '')
}

function partOf(part: string): Part {
  if (part.endsWith('*}')) return { rest: part.slice(1, -2) }
  return part.startsWith('{') ? { name: part.slice(1, -1) } : { literal: part.toLowerCase() }
}

function fits(parts: readonly Part[], lower: readonly string[]): boolean {
  let at = 0
  for (const part of parts) {
    const segment = lower[at]
    if (segment === undefined) return false
    if ('rest' in part) return true
    if ('literal' in part && part.literal !== segment) return false
    at += 1
  }
  return at === lower.length
}

function paramsOf(parts: readonly Part[], segments: readonly string[]): Record<string, string> {
  const params: Record<string, string> = {}
  for (const [at, part] of parts.entries()) {
    if ('rest' in part) params[part.rest] = segments.slice(at).join('/')
    else if ('name' in part) params[part.name] = segments[at] ?? ''
  }
  return params
}
