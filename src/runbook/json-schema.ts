import { z } from 'zod'
import { runbookFile, stepFile } from './file-schema.js'
import { ownKinds } from './inputs-check.js'
import type { StepSchema } from './types.js'

/** A node of a JSON Schema, as far as it is rewritten here. */
type Node = { readonly [key: string]: unknown }

/** What the schema must know of a step module: a registry of them fits by shape. */
export type DescribedSchema = Pick<StepSchema, 'inputs'> & { readonly summary?: string }

/**
 * The JSON Schema (2020-12) of a runbook, for editors: what `uses` names decides what `with` takes. It says less than
 * `validate` does, which follows references and knows rules across inputs; what it refuses, `validate` refuses too.
 */
export function runbookJsonSchema(modules: ReadonlyMap<string, DescribedSchema>): Node {
  const kinds: readonly (readonly [string, DescribedSchema])[] = [
    ...modules,
    ['gate', { inputs: ownKinds.gate, summary: 'A question that the operator must say yes to' }],
    ['manual', { inputs: ownKinds.manual, summary: 'Work that a person does by hand' }],
  ]
  const defs = kinds.flatMap(([uses, { inputs }]) => Object.entries(partsOf(uses, inputs).defs))
  const { $schema, ...file } = literal(jsonOf(runbookFile))
  const { steps, ...properties } = file['properties'] as { readonly [key: string]: Node }
  return {
    $schema,
    title: 'A Lifeboat runbook',
    ...file,
    properties: { ...properties, steps: { ...steps, items: { $ref: '#/$defs/step' } } },
    $defs: { expression, text, step: stepOf(kinds), ...Object.fromEntries(defs) },
  }
}

const expression = {
  title: 'an expression',
  description: 'The value of a variable, of the environment, or an output of another step: ${{ steps.ID.outputs.NAME }}',
  type: 'string',
  pattern: String.raw`^\$\{\{((?!\}\}).)+\}\}$`,
}

const holdsExpression = String.raw`(^|[^$])\$\{\{`

const text = { title: 'text with expressions in it', type: 'string', pattern: holdsExpression }

function stepOf(kinds: readonly (readonly [string, DescribedSchema])[]): Node {
  const { $schema: _, ...step } = literal(jsonOf(stepFile))
  const { uses: _named, ...properties } = step['properties'] as { readonly [key: string]: Node }
  const named = kinds.map(([uses, { summary }]) => ({ const: uses, ...(summary === undefined ? {} : { description: summary }) }))
  const ownPath = { type: 'string', pattern: String.raw`^\.\.?/`, description: "A module of the site's own: its path, which begins at the runbook's folder" }
  return {
    ...step,
    properties: { ...properties, uses: { description: 'The step module that does it', anyOf: [...named, ownPath] } },
    allOf: kinds.map(([uses, module]) => ({
      if: { required: ['uses'], properties: { uses: { const: uses } } },
      then: inputsOf(uses, module),
    })),
  }
}

function inputsOf(uses: string, { inputs, summary }: DescribedSchema): Node {
  const { own } = partsOf(uses, inputs)
  const taken = summary === undefined ? own : { description: summary, ...own }
  const needed = Array.isArray(own['required']) && own['required'].length > 0
  if (needed) return { required: ['with'], properties: { with: taken } }
  return { properties: { with: { anyOf: [taken, { type: 'null' }] } } }
}

/** What a module takes, and what it refers to, under names that no other module has. */
function partsOf(uses: string, inputs: z.ZodType): { readonly own: Node; readonly defs: Node } {
  const { $schema: _, $defs = {}, ...own } = jsonOf(inputs)
  const nameOf = (name: string): string => `${uses.replaceAll(/[^\w.-]+/g, '_')}.${name}`
  const renamed = (node: Node): Node => {
    const { $ref, ...rest } = mapped(node, renamed)
    if (typeof $ref !== 'string') return rest
    return { ...rest, $ref: $ref.replace(/^#\/\$defs\/(.*)$/, (_all, name: string) => `#/$defs/${nameOf(name)}`) }
  }
  const written = (node: Node, mayBeOne: boolean): Node => templated(renamed(plain(node)), mayBeOne)
  const parts = Object.entries($defs as { readonly [name: string]: Node })
  const defs = parts.map(([name, node]) => [nameOf(name), written(node, true)] as const)
  return { own: written(own, false), defs: Object.fromEntries(defs) }
}

function jsonOf(schema: z.ZodType): Node {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline', override: keepCaseless })
}

type Written = Parameters<NonNullable<NonNullable<Parameters<typeof z.toJSONSchema>[1]>['override']>>[0]

/** A pattern of JSON Schema has no flags: what ignores case in zod must say so in its letters. */
function keepCaseless({ zodSchema, jsonSchema }: Written): void {
  const checks = (zodSchema._zod.def.checks ?? []).map((check) => check._zod.def as { readonly pattern?: RegExp })
  const flagged = checks.map(({ pattern }) => pattern).find((one) => one?.source === jsonSchema.pattern && one?.flags.includes('i') === true)
  if (flagged !== undefined) jsonSchema.pattern = caseless(flagged.source)
}

function caseless(source: string): string {
  return source.replaceAll(/\\.|\[(\^?)([^\]\\]*)\]|[a-z]/gi, (piece, negated: string | undefined, members = '') => {
    if (piece.startsWith('\\')) return piece
    const [lower, upper] = piece.startsWith('[') ? [String(members).toLowerCase(), String(members).toUpperCase()] : [piece.toLowerCase(), piece.toUpperCase()]
    return lower === upper ? piece : `[${negated ?? ''}${lower}${upper}]`
  })
}

/** Every value may be an expression instead; text may have some within it. */
function templated(node: Node, mayBeOne = true): Node {
  const inner = mapped(node, (child) => templated(child))
  if (!mayBeOne || isAnything(inner)) return inner
  if (inner['type'] === 'string' && isFreeText(inner)) return inner
  const { description, ...taken } = inner
  const said = description === undefined ? {} : { description }
  return { ...said, anyOf: [taken, { $ref: takesText(taken) ? '#/$defs/text' : '#/$defs/expression' }] }
}

/** Outside of `vars` and `with`, an expression would be taken for text. */
function literal(node: Node): Node {
  const inner = mapped(plain(node, false), literal)
  return inner['type'] === 'string' && isFreeText(inner) ? { ...inner, not: { pattern: holdsExpression } } : inner
}

function takesText({ type, anyOf }: Node): boolean {
  return type === 'string' || (Array.isArray(anyOf) && anyOf.some((one: Node) => one['type'] === 'string'))
}

function isFreeText(node: Node): boolean {
  return ['pattern', 'enum', 'const', 'format', 'allOf'].every((key) => node[key] === undefined)
}

function isAnything(node: Node): boolean {
  return Object.keys(node).every((key) => key === 'description' || key === 'default')
}

/**
 * Without what only zod or this tool understands: the bounds of exact integers, formats that their pattern says already, the
 * mark of files. A mapping takes no keys but its own, as the loader sees it.
 */
function plain(node: Node, deep = true): Node {
  const { lifeboat, format, propertyNames, minimum, maximum, ...rest } = node
  const isLimit = (value: unknown): boolean => Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER
  const anyName = JSON.stringify(propertyNames) === '{"type":"string"}'
  const closed = rest['properties'] !== undefined && rest['additionalProperties'] === undefined
  const kept = {
    ...rest,
    ...(minimum === undefined || isLimit(minimum) ? {} : { minimum }),
    ...(maximum === undefined || isLimit(maximum) ? {} : { maximum }),
    ...(propertyNames === undefined || anyName ? {} : { propertyNames }),
    ...(format === undefined || rest['pattern'] !== undefined ? {} : { format }),
    ...(lifeboat === 'file' && rest['description'] === undefined ? { description: "A path; a relative one begins at the runbook's folder" } : {}),
    ...(closed ? { additionalProperties: false } : {}),
  }
  return deep ? mapped(kept, plain) : kept
}

const lists = ['anyOf', 'oneOf', 'allOf', 'prefixItems'] as const
const singles = ['items', 'additionalProperties'] as const

/** The same node with its parts rewritten. */
function mapped(node: Node, change: (child: Node) => Node): Node {
  const copy: Record<string, unknown> = { ...node }
  const properties = node['properties']
  if (isNode(properties)) {
    copy['properties'] = Object.fromEntries(Object.entries(properties).map(([key, child]) => [key, isNode(child) ? change(child) : child]))
  }
  for (const key of lists) {
    const all = node[key]
    if (Array.isArray(all)) copy[key] = all.map((child: unknown) => (isNode(child) ? change(child) : child))
  }
  for (const key of singles) {
    const child = node[key]
    if (isNode(child)) copy[key] = change(child)
  }
  return copy
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
