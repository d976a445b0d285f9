import type { Findings } from './diagnostic.js'
import type { Located, LocatedScalar } from './document.js'
import { Expression, hasExpression, pieces, readReference, type Placed, type Template } from './expression.js'
import type { Position } from './types.js'

/** The JSON pointer of a path, as the keys of `StepNode.positions` are. */
export function pointer(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

/** Turns a located value into a template; expressions that cannot be read are findings and stay as text. */
export function templateOf(located: Located, findings: Findings): Template {
  switch (located.kind) {
    case 'scalar':
      return scalarOf(located, findings)
    case 'list':
      return located.items.map((item) => templateOf(item, findings))
    case 'map':
      return Object.fromEntries(
        [...located.entries].map(([key, { keyAt, value }]) => {
          if (hasExpression(key)) findings.error('expression-in-key', keyAt, 'a key cannot hold an expression')
          return [key, templateOf(value, findings)]
        }),
      )
  }
}

function scalarOf({ value, expressions, at }: LocatedScalar, findings: Findings): Template {
  if (typeof value !== 'string' || !value.includes('${{')) return value
  let nth = 0
  const parts = pieces(value).map((piece): string | Placed => {
    if ('text' in piece) return piece.text
    const place = expressions[nth] ?? at
    nth += 1
    const text = piece.source.trim()
    const reference = piece.closed ? readReference(text) : { message: 'this expression has no end', hint: 'it ends with }}' }
    if ('root' in reference) return { reference, text, ...place }
    findings.error('bad-expression', place, reference.message, reference.hint)
    return ''
  })
  return parts.every((part) => typeof part === 'string') ? parts.join('') : new Expression(parts)
}

/** The same value as plain JSON, expressions left as the text they are. */
export function plainOf(located: Located): unknown {
  switch (located.kind) {
    case 'scalar':
      return located.value
    case 'list':
      return located.items.map(plainOf)
    case 'map':
      return Object.fromEntries([...located.entries].map(([key, { value }]) => [key, plainOf(value)]))
  }
}

/** All references in a template. */
export function references(template: Template): readonly Placed[] {
  if (template instanceof Expression) return template.placed
  if (typeof template !== 'object' || template === null) return []
  return Object.values(template).flatMap((part: Template) => references(part))
}

/** Where every value of a tree stands, by JSON pointer. */
export function positionsOf(located: Located): ReadonlyMap<string, Position> {
  const found = new Map<string, Position>()
  const visit = (value: Located, path: string): void => {
    found.set(path, value.at)
    if (value.kind === 'list') value.items.forEach((item, index) => visit(item, path + pointer([index])))
    if (value.kind === 'map') for (const [key, entry] of value.entries) visit(entry.value, path + pointer([key]))
  }
  visit(located, '')
  return found
}
