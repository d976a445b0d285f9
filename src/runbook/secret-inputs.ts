import { z } from 'zod'
import { isPending } from '../contract/index.js'
import type { SecretReference } from '../contract/inputs.js'
import { inputShape, type Shape } from './shape.js'

/** Replaces every reference that a schema calls a secret (contract `secret`), however deep it stands, in inputs that the schema took. */
export function mapSecrets<T extends object>(inputs: T, schema: z.ZodType, visit: (reference: SecretReference) => unknown): T {
  return holdsSecrets(schema) ? (mapped(inputs, inputShape(schema), visit) as T) : inputs
}

function mapped(value: unknown, shape: Shape, visit: (reference: SecretReference) => unknown): unknown {
  if (typeof value !== 'object' || value === null || isPending(value)) return value
  if (shape.isSecret) return visit(value as SecretReference)
  const inner = (part: unknown, key: string): unknown => {
    const child = shape.child(key)
    return child === undefined ? part : mapped(part, child, visit)
  }
  if (Array.isArray(value)) return value.map((item, index) => inner(item, String(index)))
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, inner(part, key)]))
}

const known = new WeakMap<z.ZodType, boolean>()

/** Most steps have none, and a runbook may have thousands of steps. */
function holdsSecrets(schema: z.ZodType): boolean {
  const before = known.get(schema)
  if (before !== undefined) return before
  const json = JSON.stringify(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }))
  const holds = json.includes('"lifeboat":"secret"')
  known.set(schema, holds)
  return holds
}
