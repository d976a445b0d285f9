import { LifeboatError, Pending, type Json, type PendingOutput } from '../contract/index.js'
import { childOf, Evaluator, Unknown, unknowns, type Value } from './evaluate.js'
import { Expression, type Placed, type Template } from './expression.js'
import { absolute, mapFiles } from './file-inputs.js'
import { inputShape, Shape } from './shape.js'
import type { Runbook, Scope, StepNode, StepSchema } from './types.js'

/**
 * Inputs of a step with their expressions resolved, before the module's schema. Each is either known as a whole or one
 * `Pending` that names all the steps it waits for. Files (contract `file`) become absolute paths.
 *
 * @throws LifeboatError `runbook.env-missing` for an environment variable that is not set; `runbook.unresolved` for an
 * output that a step declares but did not give, and for a list or a mapping inside text.
 */
export function resolveInputs(
  node: StepNode,
  runbook: Pick<Runbook, 'vars' | 'azure' | 'folder'>,
  scope: Scope,
  schema: Pick<StepSchema, 'inputs'>,
): Record<string, unknown> {
  const evaluator = new Evaluator({
    vars: runbook.vars,
    azure: runbook.azure,
    env: (name) => scope.env(name) ?? missing(name),
    output: (step, path, placed) => outputOf(step, path, placed, scope),
    problem: unresolved,
  })
  const shape = inputShape(schema.inputs)
  const inputs = Object.entries(node.with).map(([key, template]): [string, unknown] => {
    const value = evaluator.evaluate(template)
    const waits = unknowns(value).flatMap(({ unknown }) => unknown.steps)
    if (waits.length > 0) return [key, new Pending(waits, outputNamed(template))]
    const file = (leaf: string | Unknown): Value => (typeof leaf === 'string' ? absolute(leaf, runbook.folder) : leaf)
    return [key, mapFiles(value, shape.child(key) ?? Shape.any, file)]
  })
  return Object.fromEntries(inputs)
}

/** The output that an input is, where it is written as nothing else. */
function outputNamed(template: Template): PendingOutput | undefined {
  const reference = template instanceof Expression ? template.whole?.reference : undefined
  return reference?.root === 'steps' ? { step: reference.step, path: reference.path } : undefined
}

function outputOf(step: string, path: readonly string[], placed: Placed, scope: Scope): Value {
  const outputs = scope.outputs(step)
  if (outputs === undefined) return new Unknown(Shape.any, [step], placed.text)
  let value: Json | undefined = outputs
  for (const segment of path) value = value === undefined ? undefined : childOf(value, segment)
  if (value !== undefined) return compact(value)
  return unresolved(placed, 'unresolved', `${placed.text} has no value: ${step} did not give it`)
}

/** JSON without the keys that are undefined, as the journal would give it back. */
function compact(value: Json): Value {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item: Json) => compact(item))
  const entries: [string, Json | undefined][] = Object.entries(value)
  return Object.fromEntries(entries.flatMap(([key, part]) => (part === undefined ? [] : [[key, compact(part)]])))
}

function missing(name: string): never {
  // The same for every step and line that takes it: a plan tells it once, with all of those steps.
  throw new LifeboatError('runbook.env-missing', `${name} is not set, and the runbook takes it`, {
    blame: 'user',
    hint: envHint(name),
  })
}

export function envHint(name: string): string {
  return `export ${name}=…, or put it into the env section of the cloud file where that has one`
}

function unresolved(placed: Placed, _code: string, message: string, hint?: string | (() => string)): never {
  throw new LifeboatError('runbook.unresolved', `line ${placed.line}: ${message}`, {
    blame: 'user',
    ...(hint === undefined ? {} : { hint: typeof hint === 'string' ? hint : hint() }),
  })
}
