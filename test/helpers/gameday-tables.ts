import { z } from 'zod'
import { expectSchema, worldExpectations } from '../../src/gameday/expectations.js'
import { faultKinds, operations, whenSchema } from '../../src/gameday/faults.js'
import { actKinds, operatorSchema } from '../../src/gameday/operator.js'
import { scenarioSchema } from '../../src/gameday/scenario.js'

/**
 * Those that CI plays for real: a SIGKILL in a move and in helm, requests and connections that break, another person at work, a
 * shell of another cloud.
 */
export const playedForReal = ['07-wrong-place', '19-throttled-and-torn', '20-laptop-dies', '21-two-operators']

interface Node {
  readonly description?: string
  readonly properties?: Readonly<Record<string, Node>>
  readonly required?: readonly string[]
  readonly items?: Node
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly default?: unknown
}

/** What a scenario can say, as the rows of README's tables: made from the schemas, so that neither can drift. */
export const tables: Readonly<Record<string, readonly string[]>> = {
  scenario: rowsOf(scenarioSchema),
  when: rowsOf(whenSchema),
  faults: rowsOfKinds(faultKinds),
  operator: rowsOf(operatorSchema),
  acts: rowsOfKinds(actKinds),
  answers: inner(operatorSchema, 'answers'),
  expect: rowsOf(expectSchema),
  asked: inner(expectSchema, 'asked'),
  world: rowsOfKinds(worldExpectations),
  operations: operations.map((name) => `| \`${name}\` |`),
}

function json(schema: z.ZodType): Node {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' }) as Node
}

function rowsOf(schema: z.ZodType): readonly string[] {
  return Object.entries(json(schema).properties ?? {}).map(([name, node]) => `| \`${name}\` | ${said(node)} |`)
}

function inner(schema: z.ZodType, key: string): readonly string[] {
  return Object.entries(json(schema).properties?.[key]?.items?.properties ?? {}).map(([name, node]) => `| \`${name}\` | ${said(node)} |`)
}

function rowsOfKinds(kinds: Readonly<Record<string, z.ZodType>>): readonly string[] {
  return Object.entries(kinds).map(([name, schema]) => {
    const node = json(schema)
    const { properties = {}, required = [] } = node
    const keys = Object.entries(properties).map(([key, one]) => `\`${key}\`${required.includes(key) ? '' : '?'}${detail(one)}`)
    const takes = keys.length > 0 ? keys.join('; ') : choices(node)
    return `| \`${name}\` | ${(node.description ?? '').replaceAll('|', '\\|')} | ${takes} |`
  })
}

function detail(node: Node): string {
  const text = said(node)
  return text === '' ? '' : `: ${text}`
}

function said(node: Node): string {
  const standard = node.default === undefined || typeof node.default === 'object' ? '' : `Without it: \`${String(node.default)}\``
  return [node.description?.replaceAll('|', '\\|') ?? '', choices(node), standard].filter((part) => part !== '').join('. ')
}

function choices(node: Node): string {
  // They have a table of their own.
  if (node.enum?.length === operations.length) return ''
  const all = node.enum ?? (node.const === undefined ? [] : [node.const])
  return all.map((one) => `\`${String(one)}\``).join(' ')
}
