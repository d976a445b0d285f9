import { azureKeys, Expression, type Placed, type Template } from './expression.js'
import { quoted, suggestion } from './near.js'
import { Shape } from './shape.js'
import type { AzureFacts } from './types.js'

/** What is not known yet: only its shape, and the steps that must be done first (none for the environment). */
export class Unknown {
  readonly shape: Shape
  readonly steps: readonly string[]
  /** The expression it comes from, for messages. */
  readonly text: string

  constructor(shape: Shape, steps: readonly string[], text: string) {
    this.shape = shape
    this.steps = steps
    this.text = text
  }
}

/** A resolved template: JSON whose leaves may be unknown. */
export type Value = null | boolean | number | string | Unknown | readonly Value[] | { readonly [key: string]: Value }

export type Problem = (placed: Placed, code: string, message: string, hint?: string | (() => string)) => void

export interface Sources {
  readonly vars: { readonly [key: string]: Template }
  /** Undefined while the runbook's own section is wrong. */
  readonly azure: AzureFacts | undefined
  env(name: string, placed: Placed): Value
  output(step: string, path: readonly string[], placed: Placed): Value
  /** Called for what cannot be resolved; it may throw. If it returns, the value counts as unknown. */
  readonly problem: Problem
}

/** Bounds what a few lines can grow to by referring to each other. */
const maxCost = 2_000_000
const maxDepth = 100
const maxChain = 30
const mendVars = 'write one of them out'

const anything = (placed: Placed, steps: readonly string[] = []): Unknown => new Unknown(Shape.any, steps, placed.text)

/** Resolves templates against one set of sources; every expression is resolved once. */
export class Evaluator {
  readonly #sources: Sources
  readonly #known = new Map<Expression, Value>()
  /** The expressions that are being resolved, each with the reference of it that is being followed. */
  readonly #open: { expression: Expression; placed?: Placed }[] = []
  readonly #sizes = new WeakMap<object, Size>()
  readonly #plain = new WeakMap<object, Value>()
  #cost = 0

  constructor(sources: Sources) {
    this.#sources = sources
  }

  /** `inVars` for what stands in the runbook's vars: those cannot wait for steps. */
  evaluate(template: Template | Value, inVars = false, depth = 0): Value {
    if (typeof template !== 'object' || template === null || template instanceof Unknown) return template
    if (template instanceof Expression) return this.#expression(template, inVars, depth)
    if (isList(template)) return template.map((item: Template | Value) => this.evaluate(item, inVars, depth + 1))
    return Object.fromEntries(
      Object.entries(template).map(([key, value]: [string, Template | Value]) => [key, this.evaluate(value, inVars, depth + 1)]),
    )
  }

  #expression(expression: Expression, inVars: boolean, depth: number): Value {
    const known = this.#known.get(expression)
    if (known !== undefined) return known
    const refused = this.#refused(expression, depth)
    if (refused !== undefined) return refused
    this.#open.push({ expression })
    const { whole } = expression
    const value = whole === undefined ? this.#text(expression, inVars, depth) : this.#placed(whole, inVars, depth)
    this.#open.pop()
    this.#known.set(expression, value)
    return value
  }

  /** An expression that is being resolved already leads back to itself. */
  #refused(expression: Expression, depth: number): Unknown | undefined {
    const from = this.#open.findIndex((one) => one.expression === expression)
    const placed = this.#open.at(-1)?.placed
    if (placed === undefined || (from === -1 && this.#open.length < maxChain && depth <= maxDepth)) return undefined
    if (from === -1) {
      this.#sources.problem(placed, 'too-large', `vars refer to each other more than ${maxChain} deep`, mendVars)
    } else {
      const names = this.#open.slice(from).map((one) => one.placed?.text ?? '')
      const circle = [...names, names[0] ?? ''].join(' → ')
      this.#sources.problem(placed, 'vars-cycle', `vars refer to each other in a circle: ${circle}`, mendVars)
    }
    return anything(placed)
  }

  #text(expression: Expression, inVars: boolean, depth: number): Value {
    const values = expression.parts.map((part) => {
      if (typeof part === 'string') return part
      return this.#inText(part, this.#placed(part, inVars, depth))
    })
    const unknown = values.filter((value) => value instanceof Unknown)
    const [first] = unknown
    if (first === undefined) return values.map(String).join('')
    return new Unknown(Shape.text, unknown.flatMap(({ steps }) => steps), first.text)
  }

  #inText(placed: Placed, value: Value): string | Unknown {
    if (value instanceof Unknown) {
      if ([...value.shape.allKinds].some((kind) => kind === 'string' || kind === 'number' || kind === 'boolean')) return value
    } else if (value !== null && typeof value !== 'object') {
      return String(value)
    }
    const [what, hint] = value === null ? ['is empty', 'give it a value'] : ['is a list or a mapping', 'refer to a part of it that is text']
    this.#sources.problem(placed, 'not-text', `${placed.text} ${what} and cannot stand inside text`, hint)
    return anything(placed)
  }

  #placed(placed: Placed, inVars: boolean, depth: number): Value {
    const open = this.#open.at(-1)
    if (open !== undefined) open.placed = placed
    const value = this.#resolve(placed, inVars, depth)
    const size = this.#measure(value)
    this.#cost += size.values
    if (this.#cost <= maxCost && depth + size.depth <= maxDepth) return value
    this.#sources.problem(placed, 'too-large', `${placed.text} makes the runbook too large`, 'let fewer vars refer to each other')
    return anything(placed)
  }

  #resolve(placed: Placed, inVars: boolean, depth: number): Value {
    const { reference } = placed
    const { azure, problem } = this.#sources
    switch (reference.root) {
      case 'vars':
        return this.#vars(placed, reference.path, depth)
      case 'azure': {
        const key = azureKeys.find((one) => one === reference.path[0])
        return azure === undefined || key === undefined ? anything(placed) : azure[key]
      }
      case 'env':
        return this.#sources.env(reference.name, placed)
      case 'steps':
        if (!inVars) return this.#sources.output(reference.step, reference.path, placed)
        problem(placed, 'step-in-vars', 'vars cannot refer to steps: they are known before the first one', 'refer to the step where the value is needed')
        return anything(placed)
    }
  }

  #vars(placed: Placed, path: readonly string[], depth: number): Value {
    let here: Template | Value = this.#sources.vars
    for (const [index, segment] of path.entries()) {
      const name = ['vars', ...path.slice(0, index)].join('.')
      if (here instanceof Expression) here = this.#expression(here, true, depth)
      if (here instanceof Unknown) return this.#within(here, path.slice(index), placed)
      const next: Template | Value | undefined = childOf(here, segment)
      if (next === undefined) {
        this.#sources.problem(placed, 'unknown-var', `there is no ${quoted(segment)} in ${name}`, () => suggestion(segment, keysOf(here), `names in ${name}`))
        return anything(placed)
      }
      here = next
    }
    return this.#evaluated(here, depth)
  }

  /** Also what a reference to a whole mapping gives is made once. */
  #evaluated(here: Template | Value, depth: number): Value {
    if (typeof here !== 'object' || here === null || here instanceof Unknown) return here
    const before = this.#plain.get(here)
    if (before !== undefined) return before
    const value = this.evaluate(here, true, depth)
    this.#plain.set(here, value)
    return value
  }

  /** A part of what is not known: an environment variable behind a var has no parts. */
  #within(unknown: Unknown, path: readonly string[], placed: Placed): Value {
    let shape: Shape | undefined = unknown.shape
    for (const segment of path) shape = shape?.child(segment)
    if (shape !== undefined) return new Unknown(shape, unknown.steps, placed.text)
    this.#sources.problem(placed, 'unknown-var', `${placed.text} leads into ${unknown.text}, which has no parts`)
    return anything(placed)
  }

  #measure(value: Value): Size {
    if (typeof value === 'string') return { values: 1 + Math.floor(value.length / 50), depth: 1 }
    if (typeof value !== 'object' || value === null || value instanceof Unknown) return { values: 1, depth: 1 }
    const before = this.#sizes.get(value)
    if (before !== undefined) return before
    let values = 1
    let depth = 0
    for (const part of Object.values(value)) {
      const inner = this.#measure(part)
      values += inner.values
      depth = Math.max(depth, inner.depth)
    }
    const size = { values, depth: depth + 1 }
    this.#sizes.set(value, size)
    return size
  }
}

interface Size {
  readonly values: number
  readonly depth: number
}

export function isList<T>(value: readonly T[] | object): value is readonly T[] {
  return Array.isArray(value)
}

/** A property or an item that is the value's own, or undefined. */
export function childOf<T>(value: T, segment: string): T | undefined {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, segment)) return undefined
  if (Array.isArray(value) && !/^\d+$/.test(segment)) return undefined
  return (value as Readonly<Record<string, T>>)[segment]
}

export function keysOf(value: unknown): readonly string[] {
  return typeof value === 'object' && value !== null && !(value instanceof Unknown) ? Object.keys(value) : []
}

/** The unknown leaves of a value, with their paths. */
export function unknowns(value: Value, path: readonly string[] = []): readonly { path: readonly string[]; unknown: Unknown }[] {
  if (value instanceof Unknown) return [{ path, unknown: value }]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, part]) => unknowns(part, [...path, key]))
}
