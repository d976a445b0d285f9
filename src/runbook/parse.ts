import { dirname, resolve } from 'node:path'
import { Findings, type Diagnostic } from './diagnostic.js'
import { readDocument, type Located, type LocatedMap } from './document.js'
import { readDrafts, refuseExpressions, type Draft } from './drafts.js'
import type { Value } from './evaluate.js'
import type { Template } from './expression.js'
import { absolute } from './file-inputs.js'
import { apiVersion, azureSection, gateInputs, manualInputs, objectiveSection, rehearsalSection, runbookFile } from './file-schema.js'
import { gatesBefore } from './graph.js'
import { checkInputs } from './inputs-check.js'
import type { BrokenModule } from './modules.js'
import { suggestion, quoted } from './near.js'
import { allNeeds, checkNeeds } from './needs-check.js'
import { inputShape } from './shape.js'
import { plainOf, positionsOf, templateOf } from './template.js'
import type { IncidentMoment, Node, Runbook, StepNode, StepSchemas } from './types.js'
import { validate } from './validate.js'

/** A runbook is there unless a finding is an error. */
export interface Parsed {
  readonly runbook?: Runbook
  /** In the order of the file. */
  readonly diagnostics: readonly Diagnostic[]
}

/**
 * Checks the whole text of a runbook and reports everything that is wrong with it. Never throws; its time is bounded
 * whatever the text is. `path` is where the text comes from (relative paths in it start in that folder) and is repeated
 * in the findings as given. `harmful` names modules that take something from users: one that no gate precedes is warned of.
 * `broken` says of modules of the site's own why they cannot be used.
 */
export function parseRunbook(
  text: string,
  path: string,
  schemas: StepSchemas,
  harmful: ReadonlySet<string> = new Set(),
  broken: ReadonlyMap<string, BrokenModule> = new Map(),
): Parsed {
  const findings = new Findings(path)
  const root = readDocument(text, findings)
  const runbook = root === undefined ? undefined : check(root, { text, path: resolve(path), schemas, broken, findings })
  if (runbook !== undefined) warnOfHarm(runbook, harmful, findings)
  const diagnostics = findings.list()
  return runbook === undefined || findings.failed ? { diagnostics } : { runbook, diagnostics }
}

interface Source {
  readonly text: string
  readonly path: string
  readonly schemas: StepSchemas
  readonly broken: ReadonlyMap<string, BrokenModule>
  readonly findings: Findings
}

function check(root: LocatedMap, { text, path, schemas, broken, findings }: Source): Runbook | undefined {
  const shape = inputShape(runbookFile)
  const plain = plainOf(root) as Readonly<Record<string, unknown>>
  validate({ schema: runbookFile, shape, value: plain as Value, located: root, at: root.at, owner: 'the runbook' }, findings)
  for (const [key, { value }] of root.entries) if (key !== 'vars' && key !== 'steps') refuseExpressions(value, findings)

  const vars = mappingOf(root.entries.get('vars')?.value, findings)
  const azure = azureSection.safeParse(plain['azure']).data
  const drafts = readDrafts(root.entries.get('steps')?.value, findings)
  const inputs = checkInputs({ drafts, vars, azure, schemas, broken, findings })
  const order = checkNeeds(drafts, findings)
  checkIncident(root, drafts, findings)
  if (findings.failed || order === undefined || azure === undefined) return undefined

  const nodes = new Map(drafts.map((draft, index) => [draft.id, nodeOf(draft, inputs[index])]))
  const objective = objectiveSection.optional().parse(plain['objective'])
  const rehearsal = rehearsalSection.optional().parse(plain['rehearsal'])
  const folder = dirname(path)
  return {
    apiVersion,
    name: String(plain['name']),
    path,
    folder,
    text,
    azure,
    vars,
    nodes: order.flatMap((id) => nodes.get(id) ?? []),
    ...(objective === undefined ? {} : { objectiveMs: objective.rto }),
    ...(rehearsal === undefined
      ? {}
      : { rehearsal: { world: absolute(rehearsal.world, folder), incident: (rehearsal.incident ?? []).map(momentOf) } }),
  }
}

function momentOf({ what, step, after }: { what: string; step: string; after: number }): IncidentMoment {
  return { what, step, afterMs: after }
}

function mappingOf(located: Located | undefined, findings: Findings): { readonly [key: string]: Template } {
  return located?.kind === 'map' ? (templateOf(located, findings) as { readonly [key: string]: Template }) : {}
}

function nodeOf(draft: Draft, inputs: Value | undefined): Node {
  const base = { id: draft.id ?? '', needs: allNeeds(draft), position: draft.at }
  if (draft.uses === 'gate') return { kind: 'gate', ...base, ask: gateInputs.parse(inputs).ask }
  if (draft.uses === 'manual') return { kind: 'manual', ...base, checklist: manualInputs.parse(inputs).checklist }
  const positions = draft.with === undefined ? new Map([['', draft.usesAt]]) : positionsOf(draft.with)
  return { kind: 'step', ...base, uses: draft.uses ?? '', with: draft.inputs, positions }
}

function checkIncident(root: LocatedMap, drafts: readonly Draft[], findings: Findings): void {
  const ids = new Set(drafts.flatMap(({ id }) => id ?? []))
  const rehearsal = root.entries.get('rehearsal')?.value
  const incident = rehearsal?.kind === 'map' ? rehearsal.entries.get('incident')?.value : undefined
  if (incident?.kind !== 'list') return
  for (const moment of incident.items) {
    const step = moment.kind === 'map' ? moment.entries.get('step')?.value : undefined
    const id = step?.kind === 'scalar' ? step.value : undefined
    if (step === undefined || typeof id !== 'string' || ids.has(id)) continue
    findings.error('unknown-step', step.at, `there is no step ${quoted(id)}`, () => suggestion(id, ids, 'steps'))
  }
}

function warnOfHarm(runbook: Runbook, harmful: ReadonlySet<string>, findings: Findings): void {
  for (const node of runbook.nodes) {
    if (node.kind !== 'step' || !(harmful.has(node.uses) || saysHarm(node)) || gatesBefore(runbook, node.id).length > 0) continue
    const message = `${node.id} (${node.uses}) takes something from users, and no gate precedes it`
    findings.warn('harm-without-gate', node.position, message, 'put a step with uses: gate before it, and name that in its needs')
  }
}

/** A command of the site's own says under `harm` who loses what by it. */
function saysHarm(node: StepNode): boolean {
  return node.uses === 'exec' && node.with['harm'] !== undefined
}
