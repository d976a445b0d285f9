import { digestOf, Unpinnable } from './digest.js'
import { Findings, type Diagnostic } from './diagnostic.js'
import { childOf, Evaluator, Unknown, type Value } from './evaluate.js'
import { Expression, type Template } from './expression.js'
import { absolute, mapFiles } from './file-inputs.js'
import { messageOf } from './load.js'
import { importsOf } from './module-imports.js'
import { isModulePath } from './modules.js'
import { quoted } from './near.js'
import { envHint } from './resolve.js'
import { inputShape, Shape } from './shape.js'
import { pointer } from './template.js'
import type { Position, Runbook, Scope, StepNode, StepSchemas } from './types.js'

/** A file or folder that a run depends on, as it is now. */
export interface PinnedFile {
  /** Absolute. */
  readonly path: string
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest: string
}

export interface PinnedFiles {
  /** Sorted by path, each once. */
  readonly files: readonly PinnedFile[]
  /** Files that are missing or cannot be read, and environment variables that any step needs and that are not set. */
  readonly diagnostics: readonly Diagnostic[]
}

/**
 * The files and folders that the inputs name (contract `file`) and the modules of the site's own with what they import, and
 * their digests: a run pins them when it starts.
 * What is missing is reported at the place that names it, environment variables too, so that a run does not stop half-way
 * for want of one. `path` is what findings call the runbook.
 */
export async function referencedFiles(
  runbook: Runbook,
  schemas: StepSchemas,
  scope: Pick<Scope, 'env'>,
  path: string = runbook.path,
): Promise<PinnedFiles> {
  const findings = new Findings(path)
  const named = new Map<string, NamedFile>()
  const all = [...(await ownModules(runbook)), ...fileInputs(runbook, schemas, scope, findings)]
  for (const input of all) {
    const file = absolute(input.path, runbook.folder)
    if (!named.has(file)) named.set(file, input)
  }
  const files: PinnedFile[] = []
  for (const [file, { name, at }] of [...named].sort(([a], [b]) => (a < b ? -1 : 1))) {
    try {
      files.push({ path: file, digest: await digestOf(file) })
    } catch (error) {
      const why = error instanceof Unpinnable ? error.message : messageOf(error)
      findings.error('file-missing', at, `${name}: ${why}`, mendOf(name))
    }
  }
  return { files, diagnostics: findings.list() }
}

interface NamedFile {
  readonly path: string
  /** How a message calls it. */
  readonly name: string
  readonly at: Position
}

/** A module of the site's own is a part of what was planned, like a chart, and so is what it imports. */
async function ownModules(runbook: Runbook): Promise<readonly NamedFile[]> {
  const named = runbook.nodes.flatMap(({ position: at, ...node }) =>
    node.kind === 'step' && isModulePath(node.uses) ? [{ path: absolute(node.uses, runbook.folder), name: quoted(node.uses), at }] : [],
  )
  const imported = await Promise.all(named.map(async (one) => (await importsOf(one.path)).map((path) => ({ ...one, path }))))
  return [...named, ...imported.flat()]
}

function fileInputs(runbook: Runbook, schemas: StepSchemas, scope: Pick<Scope, 'env'>, findings: Findings): readonly NamedFile[] {
  const missing = new Set<string>()
  const evaluator = new Evaluator({
    vars: runbook.vars,
    azure: runbook.azure,
    env: (name, placed) => {
      const value = scope.env(name)
      if (value !== undefined) return value
      if (!missing.has(name)) findings.error('env-missing', placed, `${name} is not set`, envHint(name))
      missing.add(name)
      return new Unknown(Shape.text, [], placed.text)
    },
    output: (step, _path, placed) => new Unknown(Shape.any, [step], placed.text),
    problem: (placed, code, message, hint) => findings.error(code, placed, message, hint),
  })
  const found: NamedFile[] = []
  for (const node of runbook.nodes) {
    const schema = node.kind === 'step' ? schemas.get(node.uses) : undefined
    if (node.kind !== 'step' || schema === undefined) continue
    mapFiles(evaluator.evaluate(node.with), inputShape(schema.inputs), (leaf, path): Value => {
      if (typeof leaf === 'string') found.push({ path: leaf, name: nameOf(node, path, leaf), at: placeOf(node, path) })
      return leaf
    })
  }
  return found
}

/** The place of an input, or of the expression that it comes from. */
function placeOf(node: StepNode, path: readonly string[]): Position {
  for (let length = path.length; length >= 0; length -= 1) {
    const at = node.positions.get(pointer(path.slice(0, length)))
    if (at !== undefined) return at
  }
  return node.position
}

/**
 * The path as written. What an expression gives is not shown: a variable that should hold the path of a key holds the key
 * itself sooner or later.
 */
function nameOf(node: StepNode, path: readonly string[], file: string): string {
  let here: Template | undefined = node.with
  for (const segment of path) here = here instanceof Expression ? here : childOf(here, segment)
  if (!(here instanceof Expression)) return quoted(file)
  return `${path.join('.')} (${here.placed.map(({ text }) => text).join(', ')})`
}

function mendOf(name: string): string {
  if (name.startsWith('"~')) return 'a leading ~ is not expanded here: write ${{ env.HOME }}/… or the whole path'
  return "relative paths begin at the runbook's folder"
}
