import { z } from 'zod'
import { durationMs } from '../contract/inputs.js'

/** The part of JSON Schema that zod writes and that types across references are compared by. */
interface JsonSchema {
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Schema
  readonly items?: Schema
  readonly prefixItems?: readonly Schema[]
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
  readonly $ref?: string
  readonly $defs?: Readonly<Record<string, Schema>>
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly lifeboat?: unknown
}
type Schema = boolean | JsonSchema

export type Kind = 'string' | 'number' | 'boolean' | 'null' | 'array' | 'object'
const kinds: readonly Kind[] = ['string', 'number', 'boolean', 'null', 'array', 'object']

const maxUnfolding = 16
const durationPattern = z.toJSONSchema(durationMs, { io: 'input' }).pattern

/**
 * What values a schema takes, as far as it can be known without one: kinds, properties, items, choices. It is lenient:
 * where it cannot tell, everything fits, and zod has the last word when the value is there.
 */
export class Shape {
  // Getters, because TypeScript 6.0 compiles a static field that makes an instance of its own class into a broken alias.
  static get any(): Shape {
    return new Shape({}, {})
  }

  static get text(): Shape {
    return new Shape({ type: 'string' }, {})
  }

  readonly #schema: Schema
  readonly #root: Schema
  /** Worked out once: a runbook's steps are walked by their shapes at every look. */
  readonly #children = new Map<string, Shape | undefined>()
  #kinds: ReadonlySet<Kind> | undefined

  constructor(schema: Schema, root: Schema) {
    this.#schema = schema
    this.#root = root
  }

  /** Alternatives, without references and unions. */
  variants(depth = 0): readonly Shape[] {
    const schema = this.#schema
    if (typeof schema === 'boolean') return schema ? [Shape.any] : []
    if (depth > maxUnfolding) return [Shape.any]
    const { $ref, anyOf, oneOf, allOf } = schema
    if ($ref !== undefined) return this.#of(referred($ref, this.#root)).variants(depth + 1)
    const union = anyOf ?? oneOf
    if (union !== undefined) return union.flatMap((one) => this.#of(one).variants(depth + 1))
    // An intersection takes what its parts take together; zod looks at that, here everything fits.
    if (allOf !== undefined) return [Shape.any]
    return [this]
  }

  /** The kinds of one variant; all of them where the schema does not say. */
  get kinds(): ReadonlySet<Kind> {
    this.#kinds ??= this.#kindsOf()
    return this.#kinds
  }

  #kindsOf(): ReadonlySet<Kind> {
    const { type, enum: values, const: only } = this.#plain
    if (type !== undefined) return new Set([type].flat().map((one) => (one === 'integer' ? 'number' : one) as Kind))
    const known = values ?? (only === undefined ? undefined : [only])
    return new Set(known === undefined ? kinds : known.map(kindOf))
  }

  /** The kinds of all variants. */
  get allKinds(): ReadonlySet<Kind> {
    return new Set(this.variants().flatMap((variant) => [...variant.kinds]))
  }

  /** Is this text the path of a file or folder? */
  get isFile(): boolean {
    const texts = this.variants().filter((variant) => variant.kinds.has('string'))
    return texts.length > 0 && texts.every((variant) => variant.#plain.lifeboat === 'file')
  }

  /** Is this a reference to a secret? */
  get isSecret(): boolean {
    return this.#plain.lifeboat === 'secret'
  }

  get isDuration(): boolean {
    return this.variants().some((variant) => variant.#plain.pattern === durationPattern)
  }

  /** The values of an enumeration, or undefined where any will do. */
  get choices(): readonly unknown[] | undefined {
    const all = this.variants().map((variant) => variant.#plain.enum ?? only(variant.#plain.const))
    return all.every((one) => one !== undefined) ? all.flat() : undefined
  }

  /** What can be chosen by a value of this kind; none where any will do. */
  choicesOf(kind: Kind): readonly unknown[] {
    const fitting = this.variants().filter((variant) => variant.kinds.has(kind))
    const all = fitting.map((variant) => variant.#plain.enum ?? only(variant.#plain.const))
    return all.every((one) => one !== undefined) ? all.flat() : []
  }

  /** Names of the properties that any variant knows. */
  get keys(): readonly string[] {
    return [...new Set(this.variants().flatMap((variant) => Object.keys(variant.#plain.properties ?? {})))]
  }

  get required(): readonly string[] {
    return this.#plain.required ?? []
  }

  /** Does the schema refuse properties that it does not know, rather than drop them? */
  get strict(): boolean {
    return this.#plain.additionalProperties === false
  }

  /** The shape of a property or an item, or undefined when there can be none of that name. */
  child(segment: string): Shape | undefined {
    if (!this.#children.has(segment)) this.#children.set(segment, this.#childOf(segment))
    return this.#children.get(segment)
  }

  #childOf(segment: string): Shape | undefined {
    const found = this.variants().flatMap((variant) => variant.#ownChild(segment) ?? [])
    const [first, ...others] = found
    if (first === undefined || others.length === 0) return first
    return new Shape({ anyOf: found.map((one) => one.#schema) }, first.#root)
  }

  /** Only the variants whose constants agree with what is known of a value: `kind: a` picks the one that says so. */
  matching(value: Readonly<Record<string, unknown>>): Shape {
    // What is no mapping agrees with none.
    const mappings = this.variants().filter((variant) => variant.kinds.has('object'))
    const fitting = mappings.filter((variant) =>
      Object.entries(variant.#plain.properties ?? {}).every(([key, property]) => {
        const allowed = variant.#of(property).choices
        const actual = Object.hasOwn(value, key) ? value[key] : undefined
        return allowed === undefined || typeof actual === 'object' || actual === undefined || allowed.includes(actual)
      }),
    )
    const [first] = fitting
    return first === undefined ? this : new Shape({ anyOf: fitting.map((one) => one.#schema) }, first.#root)
  }

  #ownChild(segment: string): Shape | undefined {
    const { properties, additionalProperties, items, prefixItems } = this.#plain
    if (this.kinds.has('object')) {
      if (properties !== undefined && Object.hasOwn(properties, segment)) return this.#of(properties[segment] ?? true)
      // zod drops what a plain object does not know; for a reader of the runbook that is a mistake like any other.
      if (additionalProperties !== undefined && additionalProperties !== false) return this.#of(additionalProperties)
      if (properties === undefined && additionalProperties === undefined) return Shape.any
    }
    if (this.kinds.has('array') && /^\d+$/.test(segment)) return this.#of(prefixItems?.[Number(segment)] ?? items ?? true)
    return undefined
  }

  get #plain(): JsonSchema {
    return typeof this.#schema === 'boolean' ? {} : this.#schema
  }

  #of(schema: Schema): Shape {
    return new Shape(schema, this.#root)
  }
}

function only(value: unknown): readonly unknown[] | undefined {
  return value === undefined ? undefined : [value]
}

function referred(ref: string, root: Schema): Schema {
  const name = /^#\/\$defs\/(.+)$/.exec(ref)?.[1]
  if (name === undefined) return ref === '#' ? root : true
  return (typeof root === 'boolean' ? undefined : root.$defs?.[name]) ?? true
}

export function kindOf(value: unknown): Kind {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'array'
  const type = typeof value
  return type === 'string' || type === 'number' || type === 'boolean' ? type : 'object'
}

const words: Readonly<Record<Kind, string>> = {
  string: 'text',
  number: 'a number',
  boolean: 'true or false',
  null: 'empty',
  array: 'a list',
  object: 'a mapping',
}

/** `text or a number`. */
export function inWords(some: Iterable<Kind>): string {
  return [...some].map((kind) => words[kind]).join(' or ')
}

/**
 * Why a value of one shape can never be taken where another is wanted, as a clause about `subject`, or undefined when it
 * may fit. Everything of `given` that is optional or a union gets the benefit of the doubt.
 */
export function mismatch(given: Shape, wanted: Shape, subject = 'it', depth = 0): string | undefined {
  if (depth > maxUnfolding) return undefined
  const taken = wanted.variants()
  let reason: string | undefined
  for (const one of given.variants()) {
    for (const other of taken) {
      if (![...one.kinds].some((kind) => other.kinds.has(kind))) continue
      const inner = mismatchWithin(one, other, subject, depth)
      if (inner === undefined) return undefined
      reason ??= inner
    }
  }
  return reason ?? `${subject} is ${inWords(given.allKinds)}, but ${inWords(wanted.allKinds)} is wanted`
}

function mismatchWithin(given: Shape, wanted: Shape, subject: string, depth: number): string | undefined {
  if (given.kinds.size > 1 || wanted.kinds.size > 1) return undefined
  const inner = (segment: string, what: string): string | undefined => {
    const [one, other] = [given.child(segment), wanted.child(segment)]
    return one === undefined || other === undefined ? undefined : mismatch(one, other, what, depth + 1)
  }
  if (given.kinds.has('array')) return inner('0', `each item of ${subject}`)
  if (!given.kinds.has('object')) return undefined
  for (const key of wanted.required) {
    if (given.child(key) === undefined) return `${subject} has no ${key}, which is wanted`
  }
  for (const key of given.keys) {
    const refused = wanted.strict && wanted.child(key) === undefined && given.required.includes(key)
    const why = refused ? `${subject} has ${key}, which is not taken here` : inner(key, `${key} of ${subject}`)
    if (why !== undefined) return why
  }
  return undefined
}

const inputShapes = new WeakMap<z.ZodType, Shape>()
const outputShapes = new WeakMap<z.ZodType, Shape>()

/** What a schema takes. */
export function inputShape(schema: z.ZodType): Shape {
  return shapeOf(schema, 'input', inputShapes)
}

/** What a schema gives. */
export function outputShape(schema: z.ZodType): Shape {
  return shapeOf(schema, 'output', outputShapes)
}

function shapeOf(schema: z.ZodType, io: 'input' | 'output', known: WeakMap<z.ZodType, Shape>): Shape {
  const before = known.get(schema)
  if (before !== undefined) return before
  const json = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Schema
  const shape = new Shape(json, json)
  known.set(schema, shape)
  return shape
}
