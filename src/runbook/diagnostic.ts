import type { Position } from './types.js'

/** One finding about a runbook, as `validate` prints it. */
export interface Diagnostic {
  /** The runbook's path as it was given. */
  readonly file: string
  readonly line: number
  readonly column: number
  readonly level: 'error' | 'warning'
  /** Stable and dotted: `runbook.unknown-key`. */
  readonly code: string
  readonly message: string
  /** How to mend it. */
  readonly hint?: string
}

/** `runbooks/data100.yaml:12:5: unknown key "adress" (did you mean "address"?)` */
export function renderDiagnostic(diagnostic: Diagnostic): string {
  const { file, line, column, level, message, hint } = diagnostic
  const what = level === 'warning' ? `warning: ${message}` : message
  return `${file}:${line}:${column}: ${what}${hint === undefined ? '' : ` (${hint})`}`
}

/** Enough to mend a file by; a file with more mistakes than this is something else than a runbook. */
const maxFindings = 200

type Hint = string | (() => string)

/** Collects what is wrong with one file, so that everything is reported together. */
export class Findings {
  readonly #file: string
  /** What kind of file it is, in messages; its codes begin so. */
  readonly kind: 'runbook' | 'scenario'
  readonly #found = new Map<string, Diagnostic>()
  #left = 0

  constructor(file: string, kind: 'runbook' | 'scenario' = 'runbook') {
    this.#file = file
    this.kind = kind
  }

  /** `hint` may be a function where it is dear to find: what is not shown needs none. */
  error(code: string, at: Position, message: string, hint?: Hint): void {
    this.#add('error', code, at, message, hint)
  }

  warn(code: string, at: Position, message: string, hint?: Hint): void {
    this.#add('warning', code, at, message, hint)
  }

  get failed(): boolean {
    return [...this.#found.values()].some(({ level }) => level === 'error')
  }

  /** In the order of the file, each once. */
  list(): readonly Diagnostic[] {
    const all = [...this.#found.values()].sort((a, b) => a.line - b.line || a.column - b.column)
    const last = all.at(-1)
    if (this.#left === 0 || last === undefined) return all
    const message = `${this.#left} more findings are not shown`
    return [...all, { ...last, code: `${this.kind}.too-many-findings`, message, hint: 'mend the ones above first' }]
  }

  #add(level: Diagnostic['level'], code: string, at: Position, message: string, hint: Hint | undefined): void {
    const key = `${at.line}:${at.column}:${message}`
    if (this.#found.has(key)) return
    if (this.#found.size >= maxFindings) {
      this.#left += 1
      return
    }
    const { line, column } = at
    const finding = { file: this.#file, line, column, level, code: `${this.kind}.${code}`, message }
    const mend = typeof hint === 'function' ? hint() : hint
    this.#found.set(key, mend === undefined ? finding : { ...finding, hint: mend })
  }
}
