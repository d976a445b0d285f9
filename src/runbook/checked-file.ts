import type { z } from 'zod'
import { Findings, type Diagnostic } from './diagnostic.js'
import { readDocument, type Located } from './document.js'
import type { Value } from './evaluate.js'
import { readText } from './load.js'
import { suggestion } from './near.js'
import { inputShape } from './shape.js'
import { plainOf } from './template.js'
import type { Position } from './types.js'
import { validate } from './validate.js'

/** Something that is wrong with a file although it has the right form: a name that leads nowhere. */
export interface Complaint {
  /** Where in the file: keys and indexes. */
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly hint?: string
  /** Instead of a hint: a word, and what there is in its place. */
  readonly near?: { readonly word: string; readonly among: Iterable<string>; readonly what: string; readonly besides?: Iterable<string> }
}

/** A file that is checked as a runbook is: its value is there unless a finding is an error. */
export interface CheckedFile<T> {
  readonly value?: T
  /** In the order of the file. */
  readonly diagnostics: readonly Diagnostic[]
}

/**
 * Reads a scenario against its schema, with every finding at its place in the file; it knows no expressions. `complaints` are asked for
 * once its form is right.
 */
export async function loadChecked<S extends z.ZodType>(
  path: string,
  schema: S,
  complaints: (value: z.output<S>) => Promise<readonly Complaint[]>,
): Promise<CheckedFile<z.output<S>>> {
  const findings = new Findings(path, 'scenario')
  const value = await checked(path, schema, complaints, findings)
  const diagnostics = findings.list()
  return value === undefined || findings.failed ? { diagnostics } : { value, diagnostics }
}

async function checked<S extends z.ZodType>(
  path: string,
  schema: S,
  complaints: (value: z.output<S>) => Promise<readonly Complaint[]>,
  findings: Findings,
): Promise<z.output<S> | undefined> {
  const text = await readText(path, findings)
  const root = text === undefined ? undefined : readDocument(text, findings)
  if (root === undefined) return undefined
  const plain = plainOf(root)
  validate({ schema, shape: inputShape(schema), value: plain as Value, located: root, at: root.at, owner: 'the scenario' }, findings)
  if (findings.failed) return undefined
  const value = schema.parse(plain)
  for (const { path: at, message, hint, near } of await complaints(value)) {
    const mend = near === undefined ? hint : (): string => suggestion(near.word, near.among, near.what, near.besides)
    findings.error('unknown-name', placeOf(root, at), message, mend)
  }
  return value
}

/** As far down as the file goes. */
function placeOf(root: Located, path: Complaint['path']): Position {
  let here = root
  for (const key of path) {
    const inner = here.kind === 'list' ? here.items[Number(key)] : here.kind === 'map' ? here.entries.get(String(key))?.value : undefined
    if (inner === undefined) return here.at
    here = inner
  }
  return here.at
}
