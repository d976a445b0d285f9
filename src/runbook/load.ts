import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { TextDecoder } from 'node:util'
import { Findings } from './diagnostic.js'
import { maxLength } from './document.js'
import { siteModulesIn, type BrokenModule, type SiteModulePath } from './modules.js'
import { quoted } from './near.js'
import { parseRunbook, type Parsed } from './parse.js'
import type { StepSchemas } from './types.js'

/** The modules that a runbook may use: those there are, and those of the site's own that it names. */
export interface LoadedModules {
  readonly schemas: StepSchemas
  readonly harmful?: ReadonlySet<string>
  /** Modules of the site's own that cannot be used, by their `uses`. */
  readonly broken?: ReadonlyMap<string, BrokenModule>
}

/**
 * Reads and checks a runbook (`parseRunbook`). That there is no file, that it is a folder or too large, or that it is no
 * UTF-8 are findings too. `modulesFor` is given the modules that it names by path.
 */
export async function loadRunbook(
  path: string,
  modulesFor: (named: readonly SiteModulePath[]) => Promise<LoadedModules>,
): Promise<Parsed> {
  const findings = new Findings(path)
  const text = await readText(path, findings)
  if (text === undefined) return { diagnostics: findings.list() }
  const named = siteModulesIn(text, path)
  const modules = await modulesFor(named)
  // What a module of the site's own makes of an input may be another thing each time.
  return named.length > 0 ? parsed(text, path, modules) : readBefore(text, path, modules)
}

interface Checked {
  readonly text: string
  readonly at: string
  readonly schemas: StepSchemas
  readonly came: Parsed
}

/** By path, the texts that were checked lately: a process that goes through many failovers reads the same ones again and again. */
const lately = new Map<string, Checked>()
const most = 8

function readBefore(text: string, path: string, modules: LoadedModules): Parsed {
  const { schemas } = modules
  const at = resolve(path)
  const known = lately.get(path)
  if (known?.text === text && known.at === at && known.schemas === schemas) return known.came
  const came = parsed(text, path, modules)
  if (lately.size >= most) lately.clear()
  lately.set(path, { text, at, schemas, came })
  return came
}

function parsed(text: string, path: string, { schemas, harmful, broken }: LoadedModules): Parsed {
  return parseRunbook(text, path, schemas, harmful, broken)
}

const start = { line: 1, column: 1 }
const example = { runbook: 'runbooks/data100.yaml', scenario: 'fixtures/gamedays/18-old-server-comes-back.yaml' } as const

/** A file as text, or a finding of why it is none. */
export async function readText(path: string, findings: Findings): Promise<string | undefined> {
  try {
    // Asked before it is opened: opening a pipe waits for a writer.
    const stats = await stat(path)
    if (!stats.isFile()) {
      const what = stats.isDirectory() ? 'a folder' : 'no regular file'
      findings.error('unreadable', start, `this is ${what}`, `name the ${findings.kind} itself, as in ${example[findings.kind]}`)
      return undefined
    }
    // A character has up to three bytes for each of its UTF-16 units.
    if (stats.size > 3 * maxLength) {
      findings.error('too-large', start, `this file has ${stats.size} bytes, which is larger than a ${findings.kind} can be`)
      return undefined
    }
    return decoded(await readFile(path), findings)
  } catch (error) {
    findings.error('unreadable', start, messageOf(error), 'check the path; it is relative to the working directory')
    return undefined
  }
}

function decoded(bytes: Uint8Array, findings: Findings): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    const before = new TextDecoder('utf-8').decode(bytes).split('\uFFFD', 1)[0] ?? ''
    const lines = before.split('\n')
    const at = { line: lines.length, column: (lines.at(-1) ?? '').length + 1 }
    findings.error('not-utf8', at, 'this is not UTF-8 text', 'save it as UTF-8')
    return undefined
  }
}

/** What the system said of a path, in words. */
export function messageOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined
  switch (code) {
    case 'ENOENT':
      return 'there is no such file'
    case 'EACCES':
    case 'EPERM':
      return 'this file may not be read'
    case 'ENOTDIR':
      return 'a part of this path is no folder'
    default:
      return `it cannot be read: ${quoted(code ?? String(error))}`
  }
}
