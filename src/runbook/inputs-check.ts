import type { Findings } from './diagnostic.js'
import { nameOf, type Draft } from './drafts.js'
import { Evaluator, Unknown, unknowns, type Sources, type Value } from './evaluate.js'
import type { Placed, Template } from './expression.js'
import { mapFiles } from './file-inputs.js'
import { gateInputs, manualInputs } from './file-schema.js'
import type { BrokenModule } from './modules.js'
import { quoted, suggestion } from './near.js'
import { inputShape, outputShape, Shape } from './shape.js'
import type { AzureFacts, StepSchemas } from './types.js'
import { validate } from './validate.js'

/** Kinds of node that the engine has itself. */
export const ownKinds = { gate: gateInputs, manual: manualInputs } as const

export function isOwnKind(uses: string | undefined): uses is keyof typeof ownKinds {
  return uses === 'gate' || uses === 'manual'
}

export interface Checked {
  readonly drafts: readonly Draft[]
  readonly vars: { readonly [key: string]: Template }
  readonly azure: AzureFacts | undefined
  readonly schemas: StepSchemas
  readonly broken: ReadonlyMap<string, BrokenModule>
  readonly findings: Findings
}

/**
 * Follows every reference and checks every input against its module: known values by the module's own schema, what steps
 * and the environment will give by its type. Answers with the inputs, for the texts of gates.
 */
export function checkInputs(checked: Checked): readonly Value[] {
  const { drafts, vars, findings } = checked
  const byId = new Map<string, Draft>()
  for (const draft of drafts) if (draft.id !== undefined && !byId.has(draft.id)) byId.set(draft.id, draft)
  let current: Draft | undefined
  const sources: Sources = {
    vars,
    azure: checked.azure,
    env: (_name, placed) => new Unknown(Shape.text, [], placed.text),
    output: (step, path, placed) => outputOf(step, path, placed, byId, current, checked),
    problem: (placed, code, message, hint) => findings.error(code, placed, message, hint),
  }
  const evaluator = new Evaluator(sources)
  evaluator.evaluate(vars, true)
  return drafts.map((draft, index) => {
    current = draft
    const value = evaluator.evaluate(draft.inputs)
    checkStep(draft, nameOf(draft, index), value, checked)
    return value
  })
}

function checkStep(draft: Draft, name: string, value: Value, { schemas, broken, findings }: Checked): void {
  const { uses } = draft
  if (uses === undefined) return
  const schema = isOwnKind(uses) ? ownKinds[uses] : schemas.get(uses)?.inputs
  const why = broken.get(uses)
  if (why !== undefined) return findings.error('broken-module', draft.usesAt, why.message, why.hint)
  if (schema === undefined) {
    const known = [...schemas.keys(), ...Object.keys(ownKinds)]
    findings.error('unknown-module', draft.usesAt, `there is no module ${quoted(uses)}`, () => suggestion(uses, known, 'modules'))
    return
  }
  const shape = inputShape(schema)
  validate({ schema, shape, value, located: draft.with, at: draft.usesAt, owner: uses }, findings)
  if (isOwnKind(uses)) {
    for (const { unknown } of unknowns(value)) {
      const message = `the text of a ${uses} is known before the run, but ${unknown.text} is not`
      findings.error('not-known-yet', draft.at, message, 'it may refer to vars and azure only')
    }
    return
  }
  mapFiles(value, shape, (leaf, path) => {
    if (leaf instanceof Unknown && leaf.steps.length > 0) {
      const message = `${name}: ${path.join('.')} is a file, which is read when the run starts, but ${leaf.text} is known only later`
      findings.error('file-known-late', draft.with?.entries.get(path[0] ?? '')?.value.at ?? draft.at, message, 'name a file that exists')
    }
    return leaf
  })
}

function outputOf(
  step: string,
  path: readonly string[],
  placed: Placed,
  byId: ReadonlyMap<string, Draft>,
  current: Draft | undefined,
  { schemas, findings }: Checked,
): Value {
  const waiting = new Unknown(Shape.any, [step], placed.text)
  const draft = byId.get(step)
  const wrong = (code: string, message: string, hint: string | (() => string)): Value => {
    findings.error(code, placed, message, hint)
    return waiting
  }
  if (draft === undefined) return wrong('unknown-step', `there is no step ${quoted(step)}`, () => suggestion(step, byId.keys(), 'steps'))
  if (draft === current) return wrong('needs-itself', `${step} refers to its own outputs`, 'refer to a step that is done before it')
  if (isOwnKind(draft.uses)) return wrong('no-outputs', `${step} is a ${draft.uses} and has no outputs`, `to wait for it, write needs: [${step}]`)
  const schema = draft.uses === undefined ? undefined : schemas.get(draft.uses)
  if (schema === undefined) return waiting
  let shape = outputShape(schema.outputs)
  for (const [index, segment] of path.entries()) {
    const inner = shape.child(segment)
    if (inner === undefined) {
      const owner = ['steps', step, 'outputs', ...path.slice(0, index)].join('.')
      return wrong('unknown-output', `there is no ${quoted(segment)} in ${owner}`, () => suggestion(segment, shape.keys, `names in ${owner}`))
    }
    shape = inner
  }
  return new Unknown(shape, [step], placed.text)
}
