import type { Findings } from './diagnostic.js'
import type { Located, LocatedMap } from './document.js'
import { hasExpression, type Template } from './expression.js'
import { stepFile } from './file-schema.js'
import { quoted } from './near.js'
import { inputShape } from './shape.js'
import { plainOf, references, templateOf } from './template.js'
import type { Position } from './types.js'
import { validate } from './validate.js'
import type { Value } from './evaluate.js'

/** A step as it is written, as far as it could be read. */
export interface Draft {
  /** Undefined while the step has no usable id: it is checked all the same. */
  readonly id: string | undefined
  readonly uses: string | undefined
  readonly usesAt: Position
  readonly at: Position
  /** What it says that it needs, with the place where it says so. */
  readonly needs: ReadonlyMap<string, Position>
  /** The steps that its inputs refer to, with the place of the first reference. */
  readonly refers: ReadonlyMap<string, Position>
  /** The inputs as written; undefined when there is no `with`. */
  readonly with: LocatedMap | undefined
  readonly inputs: { readonly [key: string]: Template }
}

/** How a message calls a step: by its id, or by its place in the list. */
export function nameOf(draft: Pick<Draft, 'id'>, index: number): string {
  return draft.id ?? `steps[${index}]`
}

/** Reads the list of steps and reports what is wrong with their form; ids are unique afterwards, or reported. */
export function readDrafts(list: Located | undefined, findings: Findings): readonly Draft[] {
  if (list?.kind !== 'list') return []
  const drafts = list.items.map((item, index) => readDraft(item, index, findings))
  const seen = new Map<string, Position>()
  for (const { id, at } of drafts) {
    if (id === undefined) continue
    const first = seen.get(id)
    if (first === undefined) seen.set(id, at)
    else findings.error('duplicate-id', at, `the id ${quoted(id)} is taken by the step at ${first.line}:${first.column}`, 'give it an id of its own')
  }
  return drafts
}

function readDraft(item: Located, index: number, findings: Findings): Draft {
  const map = item.kind === 'map' ? item : undefined
  const id = textOf(map, 'id')
  const owner = id === undefined ? `steps[${index}]` : `step ${quoted(id)}`
  validate({ schema: stepFile, shape: inputShape(stepFile), value: plainOf(item) as Value, located: item, at: item.at, owner }, findings)
  const uses = textOf(map, 'uses')
  const inputs = map?.entries.get('with')?.value
  for (const [key, { value }] of map?.entries ?? []) if (key !== 'with') refuseExpressions(value, findings)
  const mapping = inputs?.kind === 'map' ? inputs : undefined
  const template = mapping === undefined ? {} : (templateOf(mapping, findings) as { readonly [key: string]: Template })
  const refers = new Map<string, Position>()
  for (const { reference, line, column } of references(template)) {
    if (reference.root === 'steps' && !refers.has(reference.step)) refers.set(reference.step, { line, column })
  }
  return {
    id,
    uses,
    usesAt: map?.entries.get('uses')?.value.at ?? item.at,
    at: map?.entries.get('id')?.value.at ?? item.at,
    needs: needsOf(map?.entries.get('needs')?.value),
    refers,
    with: mapping,
    inputs: template,
  }
}

function textOf(map: LocatedMap | undefined, key: string): string | undefined {
  const value = map?.entries.get(key)?.value
  return value?.kind === 'scalar' && typeof value.value === 'string' && value.value !== '' ? value.value : undefined
}

/** One id, or a list of them. */
function needsOf(needs: Located | undefined): ReadonlyMap<string, Position> {
  const found = new Map<string, Position>()
  const all = needs?.kind === 'list' ? needs.items : needs === undefined ? [] : [needs]
  for (const one of all) if (one.kind === 'scalar' && typeof one.value === 'string') found.set(one.value, one.at)
  return found
}

/** Expressions are understood in `vars` and `with`; elsewhere they would be taken for text. */
export function refuseExpressions(value: Located, findings: Findings): void {
  if (value.kind === 'list') for (const item of value.items) refuseExpressions(item, findings)
  if (value.kind === 'map') for (const { value: inner } of value.entries.values()) refuseExpressions(inner, findings)
  if (value.kind !== 'scalar' || typeof value.value !== 'string' || !hasExpression(value.value)) return
  findings.error('expression-here', value.expressions[0] ?? value.at, 'an expression is understood only in vars and in with', 'write the value itself')
}
