import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { KubeObject } from '../../../sim/kube/cluster.js'
import { failed, ended, type ProgramEnd } from '../program.js'

/** One object of a release, as a manifest and taken apart. */
export interface Manifest {
  readonly text: string
  readonly object: KubeObject
}

export interface Hook extends Manifest {
  /** `pre-install`, `post-upgrade`, … */
  readonly events: readonly string[]
  readonly weight: number
  /** `before-hook-creation`, `hook-succeeded`, `hook-failed`. */
  readonly deletePolicies: readonly string[]
}

/** What a chart renders to. */
export interface Rendering {
  readonly manifests: readonly Manifest[]
  readonly hooks: readonly Hook[]
}

export interface RenderWish {
  readonly chart: string
  readonly name: string
  readonly namespace: string
  /** `--values F`, `--set a=b`, as they were given. */
  readonly values: readonly string[]
  /** Further flags: `--is-upgrade`, `--kube-version V`. */
  readonly flags: readonly string[]
}

/** Renders charts by the real helm, each with the same values once. */
export class Renderer {
  readonly #helm: string
  readonly #said = new Map<string, ProgramEnd>()
  readonly #read = new Map<string, Rendering>()

  /** `helm`: path of a real helm 4. */
  constructor(helm: string) {
    this.#helm = helm
  }

  /** What `helm template` says. */
  template(wish: RenderWish, env: Readonly<Record<string, string>>): ProgramEnd {
    const { chart, name, namespace, values, flags } = wish
    const key = keyOf(wish)
    const known = this.#said.get(key)
    if (known !== undefined) return known
    const args = ['template', name, chart, '-n', namespace, ...values, ...flags]
    const end = run(this.#helm, args, env)
    this.#said.set(key, end)
    return end
  }

  /** The objects of a release; or how rendering them failed. */
  render(wish: RenderWish, env: Readonly<Record<string, string>>): Rendering | { readonly failure: string } {
    const { exitCode, stdout, stderr } = this.template(wish, env)
    // The first line is helm's; what a template has complained of may follow on others.
    if (exitCode !== 0) return { failure: stderr.trimEnd().replace(/^Error: /, '').replace(/\n\nUse --debug flag.*$/s, '') }
    const known = this.#read.get(stdout)
    if (known !== undefined) return known
    const rendering = renderingOf(stdout)
    this.#read.set(stdout, rendering)
    return rendering
  }
}

function run(helm: string, args: readonly string[], env: Readonly<Record<string, string>>): ProgramEnd {
  try {
    return ended(execFileSync(helm, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 64 << 20 }))
  } catch (error) {
    const { status, stderr } = error as { status?: number | null; stderr?: string }
    if (typeof status !== 'number') throw error
    return { ...failed(status, ''), stderr: stderr ?? '' }
  }
}

/** A chart is its content and its place, which messages name; the names of the values' files do not matter. */
function keyOf({ chart, name, namespace, values, flags }: RenderWish): string {
  const hash = createHash('sha256').update(JSON.stringify([name, namespace, flags, chart]))
  addFile(hash, chart)
  for (const value of values) {
    const path = value.replace(/^"(.*)"$/, '$1').replaceAll('""', '"')
    const content = contentOf(path)
    hash.update(content === undefined ? `|${value}` : '|file ').update(content ?? '')
  }
  return hash.digest('hex')
}

function addFile(hash: ReturnType<typeof createHash>, path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found?.isDirectory() === true) for (const name of readdirSync(path).sort()) addFile(hash.update(`/${name}`), join(path, name))
  else hash.update(contentOf(path) ?? 'none')
}

function contentOf(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

function renderingOf(stream: string): Rendering {
  const texts = stream.split(/^---\s*$/m).map((text) => text.trim()).filter((text) => text !== '')
  const all = texts.flatMap((text): Manifest[] => {
    const object = parse(text) as KubeObject | null
    return object === null ? [] : [{ text, object }]
  })
  return {
    manifests: all.filter((one) => annotation(one, 'hook') === undefined),
    hooks: all.flatMap((one) => {
      const events = annotation(one, 'hook')
      return events === undefined ? [] : [hookOf(one, events)]
    }),
  }
}

/** By helm's own reading of annotations (helm.sh/docs/topics/charts_hooks). */
function hookOf(manifest: Manifest, events: string): Hook {
  const listed = (text: string): string[] => text.split(',').map((one) => one.trim())
  return {
    ...manifest,
    events: listed(events),
    weight: Number(annotation(manifest, 'hook-weight') ?? 0),
    deletePolicies: listed(annotation(manifest, 'hook-delete-policy') ?? 'before-hook-creation'),
  }
}

function annotation({ object }: Manifest, name: string): string | undefined {
  return object.metadata.annotations?.[`helm.sh/${name}`]
}
