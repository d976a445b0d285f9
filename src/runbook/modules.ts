import { dirname, resolve } from 'node:path'
import { Findings } from './diagnostic.js'
import { readDocument } from './document.js'
import { readDrafts } from './drafts.js'

/** Is this `uses` the path of a module of the site's own? It begins at the runbook's folder. */
export function isModulePath(uses: string): boolean {
  return /^\.\.?\//.test(uses)
}

/** A module of the site's own, as a runbook names it. */
export interface SiteModulePath {
  readonly uses: string
  /** Absolute. */
  readonly path: string
}

/** Why a module of the site's own cannot be used. */
export interface BrokenModule {
  readonly message: string
  readonly hint: string
}

/** The modules that a runbook names by path, each once; whatever else is wrong with it is told when it is parsed. */
export function siteModulesIn(text: string, path: string): readonly SiteModulePath[] {
  // Most runbooks have none, and a large one need not be read twice to find that out.
  if (!/uses["']?\s*:\s*["']?\.\.?\//.test(text)) return []
  const unread = new Findings(path)
  const steps = readDocument(text, unread)?.entries.get('steps')?.value
  const uses = readDrafts(steps, unread).flatMap((draft) => (draft.uses !== undefined && isModulePath(draft.uses) ? [draft.uses] : []))
  return [...new Set(uses)].map((one) => ({ uses: one, path: resolve(dirname(resolve(path)), one) }))
}
