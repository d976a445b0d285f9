import type { z } from 'zod'
import type { Findings } from './diagnostic.js'
import type { Located } from './document.js'
import { childOf, isList, Unknown, unknowns, type Value } from './evaluate.js'
import { hasExpression, pieces } from './expression.js'
import { quoted, suggestion } from './near.js'
import { inWords, kindOf, mismatch, Shape } from './shape.js'
import { pointer } from './template.js'
import type { Position } from './types.js'

/** A value to be checked against a schema, and where it stands. */
export interface Subject {
  readonly schema: z.ZodType
  /** What the schema takes, for unknown keys and what is not known yet. */
  readonly shape: Shape
  readonly value: Value
  /** The value as written; undefined when it is not there at all. */
  readonly located: Located | undefined
  /** Where to point when `located` is not there. */
  readonly at: Position
  /** What the keys belong to, for messages: `azure/network`. */
  readonly owner: string
}

type Path = readonly string[]

/** Reports everything about a value that its schema does not take. What is not known yet is compared by its type alone. */
export function validate(subject: Subject, findings: Findings): void {
  const checker = new Checker(subject, findings)
  checker.walk(subject.value, subject.shape, [])
  checker.parse()
}

interface Issue {
  readonly code: string
  readonly path: Path
  readonly message: string
  readonly expected?: string
  readonly keys?: readonly string[]
  readonly errors?: readonly (readonly Issue[])[]
}

class Checker {
  readonly #subject: Subject
  readonly #findings: Findings
  readonly #unknown: readonly Path[]
  readonly #flagged = new Set<string>()

  constructor(subject: Subject, findings: Findings) {
    this.#subject = subject
    this.#findings = findings
    this.#unknown = unknowns(subject.value).map(({ path }) => path)
  }

  /** Unknown keys, which zod may drop silently, and types across references. */
  walk(value: Value, shape: Shape, path: Path): void {
    if (value instanceof Unknown) {
      const why = mismatch(value.shape, shape)
      if (why !== undefined) this.#error('wrong-type', path, `${value.text} does not fit ${this.#name(path)}: ${why}`)
      return
    }
    if (typeof value !== 'object' || value === null) return
    if (isList(value)) {
      value.forEach((item, index) => this.#descend(item, shape, [...path, String(index)]))
      return
    }
    if (!shape.allKinds.has('object')) return
    const fitting = shape.matching(value)
    for (const [key, part] of Object.entries(value)) {
      if (fitting.child(key) === undefined) this.#unknownKey(key, path, fitting)
      else this.#descend(part, fitting, [...path, key])
    }
  }

  #descend(value: Value, shape: Shape, path: Path): void {
    const inner = shape.child(path.at(-1) ?? '')
    if (inner !== undefined) this.walk(value, inner, path)
  }

  #unknownKey(key: string, path: Path, shape: Shape): void {
    this.#flagged.add(pointer([...path, key]))
    const { at, via } = this.#place([...path, key], 'key')
    const owner = path.length === 0 ? this.#subject.owner : this.#name(path)
    const message = `${owner} takes no ${quoted(key)}${via}`
    this.#findings.error('unknown-key', at, message, () => suggestion(key, shape.keys, `what ${owner} takes`))
  }

  /** What zod says of the parts that are known. */
  parse(): void {
    const result = this.#subject.schema.safeParse(known(this.#subject.value))
    if (result.success) return
    for (const issue of result.error.issues) this.#report(plainIssue(issue), [])
  }

  #report(issue: Issue, base: Path): void {
    const path = [...base, ...issue.path]
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys ?? []) {
        if (!this.#flagged.has(pointer([...path, key]))) this.#unknownKey(key, path, this.#shapeAt(path))
      }
      return
    }
    if (this.#waits(issue, path)) return
    const value = this.#valueAt(path)
    if (value === undefined) {
      const owner = path.length < 2 ? this.#subject.owner : this.#name(path.slice(0, -1))
      this.#error('missing-key', path.slice(0, -1), `${owner} lacks ${quoted(path.at(-1) ?? '')}`, 'it takes ' + this.#wanted(path))
    } else if (issue.code === 'invalid_union') {
      this.#reportUnion(issue, path, value)
    } else if (issue.code === 'invalid_type') {
      this.#wrongKind(path, value)
    } else if (issue.code === 'invalid_value') {
      this.#wrongChoice(path, value)
    } else {
      const text = plainly(issue.message)
      this.#error('bad-value', path, `${this.#name(path)} is ${shown(value)}: ${text}`)
    }
  }

  /** Nothing can be said of a part that is not known yet, nor by a rule across parts of which one is not. */
  #waits(issue: Issue, path: Path): boolean {
    if (issue.code === 'custom' && this.#unknown.length > 0) return true
    return this.#unknown.some((unknown) => path.every((segment, index) => segment === unknown[index]))
  }

  /** Speaks of the one alternative that the value's kind fits, or of all of them. */
  #reportUnion(issue: Issue, path: Path, value: Value): void {
    // A mapping is far from all words that could stand there, too.
    const isFar = ({ code, path: of }: Issue): boolean => of.length === 0 && (code === 'invalid_type' || (code === 'invalid_value' && typeof value === 'object'))
    const close = (issue.errors ?? []).filter((errors) => !errors.every(isFar))
    const [only, ...others] = close
    if (only !== undefined && others.length === 0) {
      for (const one of only) this.#report(one, path)
      return
    }
    if (this.#shapeAt(path).choices !== undefined) this.#wrongChoice(path, value)
    else if (close.length === 0) this.#wrongKind(path, value)
    else this.#error('bad-value', path, `${this.#name(path)} fits none of the forms that it may have`)
  }

  #wrongKind(path: Path, value: Value): void {
    const kind = kindOf(value)
    const is = `is ${typeof value === 'string' ? quoted(value) : inWords([kind])}`
    this.#error('wrong-type', path, `${this.#name(path)} ${is}, but it takes ${this.#wanted(path)}`, hintOf(value, this.#shapeAt(path)))
  }

  #wrongChoice(path: Path, value: Value): void {
    const shape = this.#shapeAt(path)
    const choices = (shape.choices ?? shape.choicesOf(kindOf(value))).map(String)
    const hint = (): string => suggestion(typeof value === 'string' ? value : '', choices, 'it is one of')
    this.#error('bad-value', path, `${this.#name(path)} cannot be ${shown(value)}`, choices.length === 0 ? undefined : hint)
  }

  #wanted(path: Path): string {
    const shape = this.#shapeAt(path)
    const { choices } = shape
    return choices === undefined ? inWords(shape.allKinds) : choices.map((one) => quoted(String(one))).join(' or ')
  }

  #name(path: Path): string {
    if (path.length === 0) return this.#subject.owner
    return path.map((segment) => (/^\d+$/.test(segment) ? `[${segment}]` : `.${quotedKey(segment)}`)).join('').replace(/^\./, '')
  }

  #error(code: string, path: Path, message: string, hint?: string | (() => string)): void {
    const { at, via } = this.#place(path)
    this.#findings.error(code, at, message + via, hint)
  }

  /** As far down as the value is written here; behind an expression, the place of the expression. */
  #place(path: Path, of: 'key' | 'value' = 'value'): { at: Position; via: string } {
    let { at } = this.#subject
    let here = this.#subject.located
    for (const [index, segment] of path.entries()) {
      if (here?.kind === 'list') here = here.items[Number(segment)]
      else if (here?.kind === 'map') {
        const entry = here.entries.get(segment)
        if (entry !== undefined && of === 'key' && index === path.length - 1) return { at: entry.keyAt, via: '' }
        here = entry?.value ?? here
      } else break
    }
    if (here !== undefined) at = here.at
    if (here?.kind !== 'scalar' || typeof here.value !== 'string' || !hasExpression(here.value)) return { at, via: '' }
    const source = pieces(here.value).find((piece) => 'source' in piece)
    const text = source !== undefined && 'source' in source ? source.source.trim() : ''
    return { at: here.expressions[0] ?? here.at, via: text.startsWith('vars.') ? ` (from ${text})` : '' }
  }

  #shapeAt(path: Path): Shape {
    let shape = this.#subject.shape
    for (const [index, segment] of path.entries()) {
      const value = this.#valueAt(path.slice(0, index))
      const narrowed = typeof value === 'object' && value !== null && !isList(value) ? shape.matching(value as object as Record<string, unknown>) : shape
      shape = narrowed.child(segment) ?? Shape.any
    }
    return shape
  }

  #valueAt(path: Path): Value | undefined {
    let value: Value | undefined = this.#subject.value
    for (const segment of path) value = value === undefined ? undefined : childOf(value, segment)
    return value
  }
}

/** zod's issue, with its path as text. */
function plainIssue(issue: z.core.$ZodIssue): Issue {
  const { code, path, message } = issue
  return {
    code,
    message,
    path: path.map(String),
    ...(issue.code === 'unrecognized_keys' ? { keys: issue.keys } : {}),
    ...(issue.code === 'invalid_union' ? { errors: issue.errors.map((errors) => errors.map(plainIssue)) } : {}),
  }
}

/** The value with what is not known left out. */
function known(value: Value): unknown {
  if (value instanceof Unknown) return undefined
  if (typeof value !== 'object' || value === null) return value
  if (isList(value)) return value.map(known)
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, known(part)]))
}

/** zod's word for what is wrong. */
function plainly(message: string): string {
  const [, word = '', most = ''] = /^Too (?:small|big): expected number to be ([<>]=?)(.+)$/.exec(message) ?? []
  const limit = { '>': 'more than', '>=': 'at least', '<': 'less than', '<=': 'at most' }[word]
  return limit === undefined ? message.replace(/^Invalid (input|string): /, '') : `it takes ${limit} ${most}`
}

function hintOf(value: Value, wanted: Shape): string | undefined {
  const kind = kindOf(value)
  const takes = wanted.allKinds
  if (wanted.isDuration) return 'a duration carries its unit, as in 90s, 20m or 1h'
  if (takes.has('string') && (kind === 'number' || kind === 'boolean')) return 'put it in quotes'
  if (takes.has('number') && typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value))) return 'remove the quotes'
  return undefined
}

function shown(value: Value): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return typeof value === 'string' ? quoted(value) : inWords([kindOf(value)])
}

function quotedKey(key: string): string {
  return /^[\w.-]{1,64}$/.test(key) ? key : quoted(key)
}
