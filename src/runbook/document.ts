import {
  Composer, isAlias, isMap, isScalar, isSeq, LineCounter, Parser, type CST, type Document, type Node, type Pair, type Scalar,
} from 'yaml'
import type { Findings } from './diagnostic.js'
import { quoted } from './near.js'
import type { Position } from './types.js'

/** A YAML value with its place; aliases are followed, so that a value may have two parents. */
export type Located = LocatedScalar | LocatedList | LocatedMap

interface LocatedBase {
  readonly at: Position
  /** Values inside, itself included and aliases expanded. */
  readonly size: number
  readonly depth: number
}
export interface LocatedScalar extends LocatedBase {
  readonly kind: 'scalar'
  readonly value: null | boolean | number | string
  /** Where the expressions in it stand, in their order. */
  readonly expressions: readonly Position[]
}
export interface LocatedList extends LocatedBase {
  readonly kind: 'list'
  readonly items: readonly Located[]
}
export interface LocatedMap extends LocatedBase {
  readonly kind: 'map'
  readonly entries: ReadonlyMap<string, Entry>
}
export interface Entry {
  readonly keyAt: Position
  readonly value: Located
}

/** A runbook of five hundred steps has about 200 kB. */
export const maxLength = 1_000_000
const maxValues = 200_000
const maxDepth = 64
/** What the parser keeps for one level of nesting is up to three entries of its stack. */
const maxParserStack = 3 * maxDepth
const maxSyntaxErrors = 20

const start: Position = { line: 1, column: 1 }

/** Ends the reading: the finding that says why stands already. */
class Unreadable extends Error {}

/** Counts nesting and errors while parsing: composing recurses, and a hundred thousand brackets would end the process. */
class BoundedParser extends Parser {
  readonly #stop: (offset: number, message: string) => never
  #errors = 0
  #first: CST.ErrorToken | undefined

  constructor(lines: LineCounter, stop: (offset: number, message: string) => never) {
    super(lines.addNewLine)
    this.#stop = stop
  }

  override *next(source: string): ReturnType<Parser['next']> {
    for (const token of super.next(source)) {
      if (token.type === 'error') this.#count(token)
      yield token
    }
    if (this.stack.length > maxParserStack) this.#stop(this.offset, `this is nested more than ${maxDepth} levels deep`)
  }

  /** A text with many errors is no YAML at all, and composing it would take long to say so. */
  #count(error: CST.ErrorToken): void {
    this.#first ??= error
    this.#errors += 1
    if (this.#errors > maxSyntaxErrors) this.#stop(this.#first.offset, `not YAML: ${oneLine(this.#first.message)}`)
  }
}

/**
 * Reads a text as one YAML 1.2 document that is a mapping. Syntax errors, duplicate keys, aliases that grow too large and
 * numbers that JavaScript cannot keep are findings; it never throws, and its time is bounded by `maxLength`.
 */
export function readDocument(text: string, findings: Findings): LocatedMap | undefined {
  if (text.length > maxLength) {
    findings.error('too-large', start, `this file is larger than a ${findings.kind} can be (${maxLength / 1_000_000} MB)`)
    return undefined
  }
  const lines = new LineCounter()
  const place = (offset: number): Position => {
    const { line, col } = lines.linePos(Math.min(offset, text.length))
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  try {
    const root = compose(text, lines, place, findings)
    return root === undefined ? undefined : asMapping(new Reader(text, place, findings).read(root, start), findings)
  } catch (error) {
    if (error instanceof Unreadable) return undefined
    throw error
  }
}

function asMapping(root: Located, findings: Findings): LocatedMap | undefined {
  if (root.kind === 'map') return root
  if (root.kind === 'scalar' && root.value === null) findings.error('empty', start, `this ${findings.kind} is empty`, emptyHint[findings.kind])
  else findings.error('not-a-mapping', root.at, `a ${findings.kind} is a mapping, but this is ${root.kind === 'list' ? 'a list' : 'text'}`, emptyHint[findings.kind])
  return undefined
}

const emptyHint = {
  runbook: 'it begins with apiVersion: lifeboat/v1; runbooks/data100.yaml is one to copy',
  scenario: 'it begins with apiVersion: lifeboat/gameday/v1; those in fixtures/gamedays are there to copy',
} as const

function compose(text: string, lines: LineCounter, place: (offset: number) => Position, findings: Findings): Node | undefined {
  const parser = new BoundedParser(lines, (offset, message) => {
    findings.error('not-yaml', place(offset), message)
    throw new Unreadable()
  })
  let document: Document.Parsed | undefined
  const options = { schema: 'core', prettyErrors: false, uniqueKeys: false, merge: false, logLevel: 'silent' } as const
  for (const one of new Composer(options).compose(parser.parse(text), true, text.length)) {
    if (document !== undefined) {
      findings.error('two-documents', place(one.range[0]), `a ${findings.kind} is one YAML document, and here a second one begins`, 'remove the line ---')
      return undefined
    }
    document = one
  }
  if (document === undefined) return undefined
  const { errors, warnings } = document
  for (const { pos, message } of [...errors, ...warnings].slice(0, maxSyntaxErrors)) {
    const at = place(pos[0])
    findings.error('not-yaml', at, `not YAML: ${oneLine(message)}`, hintFor(text, lines, at))
  }
  if (errors.length + warnings.length > 0) return undefined
  if (document.contents === null) {
    findings.error('empty', start, `this ${findings.kind} is empty`, emptyHint[findings.kind])
    return undefined
  }
  return document.contents
}

function oneLine(message: string): string {
  return message.slice(0, 200).replaceAll(/[\s\p{Cc}]+/gu, ' ')
}

function hintFor(text: string, lines: LineCounter, at: Position): string | undefined {
  const from = lines.lineStarts[at.line - 1] ?? 0
  const line = text.slice(from, lines.lineStarts[at.line] ?? text.length)
  if (/[^"']\$\{\{/.test(line)) return 'put the expression in quotes: "${{ … }}"'
  if (line.includes('\t')) return 'YAML is indented with spaces, not with tabs'
  return undefined
}

class Reader {
  readonly #text: string
  readonly #place: (offset: number) => Position
  readonly #findings: Findings
  readonly #anchors = new Map<string, Located | 'open'>()

  constructor(text: string, place: (offset: number) => Position, findings: Findings) {
    this.#text = text
    this.#place = place
    this.#findings = findings
  }

  /** `near` is the place of a value that is not written at all. */
  read(node: Node | null, near: Position): Located {
    if (isAlias(node)) return this.#alias(node.source, this.#at(node, near))
    const anchor = node !== null && 'anchor' in node ? node.anchor : undefined
    if (anchor !== undefined) this.#anchors.set(anchor, 'open')
    const located = this.#convert(node, this.#at(node, near))
    if (located.size > maxValues || located.depth > maxDepth) {
      const what = located.size > maxValues ? `has more than ${maxValues} values` : `is nested more than ${maxDepth} levels deep`
      this.#findings.error('too-large', located.at, `this ${what}, aliases included`, 'use fewer aliases')
      throw new Unreadable()
    }
    if (anchor !== undefined) this.#anchors.set(anchor, located)
    return located
  }

  #convert(node: Node | null, at: Position): Located {
    if (isMap(node)) return this.#map(node.items, at)
    if (isSeq(node)) {
      const items = node.items.map((item) => this.read(item as Node | null, at))
      return { kind: 'list', items, at, ...grown(items) }
    }
    return this.#scalar(isScalar(node) ? node : null, at)
  }

  #map(pairs: readonly Pair[], at: Position): LocatedMap {
    const entries = new Map<string, Entry>()
    for (const pair of pairs) {
      const keyNode = pair.key as Node | null
      const keyAt = this.#at(keyNode, at)
      const value = this.read(pair.value as Node | null, keyAt)
      const key = isScalar(keyNode) && keyNode.value !== null ? keyNode.source : undefined
      const first = key === undefined ? undefined : entries.get(key)
      if (key === undefined) {
        this.#findings.error('bad-key', keyAt, 'a key is text here', 'write it as name: value')
      } else if (key === '<<') {
        this.#findings.error('bad-key', keyAt, 'YAML merge keys are not understood', 'put what is shared into vars and refer to it')
      } else if (first !== undefined) {
        const { line, column } = first.keyAt
        this.#findings.error('duplicate-key', keyAt, `${quoted(key)} stands here twice; first at ${line}:${column}`, 'remove one of them')
      } else {
        entries.set(key, { keyAt, value })
      }
    }
    return { kind: 'map', entries, at, ...grown([...entries.values()].map(({ value }) => value)) }
  }

  #scalar(node: Scalar | null, at: Position): LocatedScalar {
    const value = node?.value ?? null
    const expressions = typeof value === 'string' && value.includes('${{') ? this.#expressions(node) : []
    const base = { kind: 'scalar', at, size: 1, depth: 1, expressions } as const
    if (typeof value === 'number') {
      const exact = Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value)
      if (exact) return { ...base, value }
      this.#findings.error('inexact-number', at, `the number ${quoted(node?.source ?? '')} cannot be kept exactly`, 'put it in quotes')
      return { ...base, value: node?.source ?? '' }
    }
    return { ...base, value: typeof value === 'string' || typeof value === 'boolean' || value === null ? value : String(node?.source) }
  }

  /** Escapes and folded lines shift offsets, so expressions are counted in the source instead. */
  #expressions(node: Scalar | null): readonly Position[] {
    const [from, to] = node?.range ?? [0, 0]
    const found: Position[] = []
    for (let offset = this.#text.indexOf('${{', from); offset !== -1 && offset < to; offset = this.#text.indexOf('${{', offset + 1)) {
      const escaped = offset > from && this.#text[offset - 1] === '$'
      if (!escaped) found.push(this.#place(offset))
    }
    return found
  }

  #alias(name: string, at: Position): Located {
    const target = this.#anchors.get(name)
    if (typeof target === 'object') return target
    const message = target === 'open' ? `the alias ${quoted(name)} would contain itself` : `there is no anchor ${quoted(name)} before this alias`
    this.#findings.error('bad-alias', at, message)
    return { kind: 'scalar', value: null, at, size: 1, depth: 1, expressions: [] }
  }

  #at(node: Node | null, near: Position): Position {
    return node?.range ? this.#place(node.range[0]) : near
  }
}

function grown(parts: readonly Located[]): { size: number; depth: number } {
  let size = 1
  let depth = 0
  for (const part of parts) {
    size += part.size
    depth = Math.max(depth, part.depth)
  }
  return { size, depth: depth + 1 }
}
