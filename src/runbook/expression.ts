/** A part of `${{ … }}` after its root: the key of a mapping, or the index of a list. */
export type Segment = string

export type Reference =
  | { readonly root: 'vars'; readonly path: readonly Segment[] }
  | { readonly root: 'azure'; readonly path: readonly Segment[] }
  | { readonly root: 'env'; readonly name: string }
  | { readonly root: 'steps'; readonly step: string; readonly path: readonly Segment[] }

export interface Placed {
  readonly reference: Reference
  /** As written between the braces, without the spaces around it. */
  readonly text: string
  /** 1-based. */
  readonly line: number
  readonly column: number
}

/**
 * A scalar with `${{ … }}` in it. One that is nothing else keeps the type of what it refers to; inside text it becomes a
 * string. `$${{` is the way to write a `${{` that is meant as text.
 */
export class Expression {
  readonly parts: readonly (string | Placed)[]

  constructor(parts: readonly (string | Placed)[]) {
    this.parts = parts
  }

  /** The only reference of a scalar that is nothing else. */
  get whole(): Placed | undefined {
    const [only, ...others] = this.parts
    return others.length === 0 && typeof only === 'object' ? only : undefined
  }

  get placed(): readonly Placed[] {
    return this.parts.filter((part) => typeof part !== 'string')
  }
}

/** A value as written in the runbook: JSON whose leaves may be expressions. */
export type Template =
  | null
  | boolean
  | number
  | string
  | Expression
  | readonly Template[]
  | { readonly [key: string]: Template }

/** What an expression may begin with, for messages. */
export const roots = ['vars', 'azure', 'env', 'steps'] as const

export const azureKeys = ['subscription', 'location', 'cloud'] as const

/** A piece of a scalar: text, or what stands between `${{` and `}}`. */
export type Piece = { readonly text: string } | { readonly source: string; readonly closed: boolean }

/** Cuts a scalar into text and expressions. `$${{` is text. */
export function pieces(scalar: string): readonly Piece[] {
  const found: Piece[] = []
  let text = ''
  let at = 0
  const opening = /(\$?)\$\{\{/g
  for (let match = opening.exec(scalar); match !== null; match = opening.exec(scalar)) {
    text += scalar.slice(at, match.index)
    at = opening.lastIndex
    if (match[1] === '$') {
      text += '${{'
      continue
    }
    if (text !== '') found.push({ text })
    text = ''
    const end = scalar.indexOf('}}', at)
    found.push({ source: scalar.slice(at, end === -1 ? undefined : end), closed: end !== -1 })
    at = end === -1 ? scalar.length : end + 2
    opening.lastIndex = at
  }
  text += scalar.slice(at)
  if (text !== '') found.push({ text })
  return found
}

export function hasExpression(scalar: string): boolean {
  return scalar.includes('${{') && pieces(scalar).some((piece) => 'source' in piece)
}

export interface Misread {
  readonly message: string
  readonly hint?: string
}

const head = /^[A-Za-z_][\w-]*/
const segment = /^(?:\.([A-Za-z_][\w-]*|\d+)|\[(\d+)\]|\['([^']*)'\]|\["([^"]*)"\])/

/** Reads `steps.nfs.outputs.privateIp`. What it refers to is looked at later. */
export function readReference(text: string): Reference | Misread {
  const start = head.exec(text)?.[0]
  if (text === '') return { message: 'this expression is empty', hint: 'write for example ${{ vars.name }}' }
  const path: Segment[] = []
  let rest = start === undefined ? text : text.slice(start.length)
  while (start !== undefined && rest !== '') {
    const match = segment.exec(rest)
    if (match === null) break
    path.push(match[1] ?? match[2] ?? match[3] ?? match[4] ?? '')
    rest = rest.slice(match[0].length)
  }
  if (start === undefined || rest !== '') {
    const hint = 'an expression is one reference, as in vars.disks[0].name or steps.nfs.outputs.id; there are no operators and functions'
    return { message: `${JSON.stringify(rest.slice(0, 40))} cannot be read in an expression`, hint }
  }
  return referenceOf(start, path)
}

function referenceOf(root: string, path: readonly Segment[]): Reference | Misread {
  const [first, ...rest] = path
  switch (root) {
    case 'vars':
      if (first === undefined) return { message: 'vars as a whole is no value', hint: 'name one of them, as in vars.zone' }
      return { root, path }
    case 'azure':
      if (first === undefined || rest.length > 0 || !azureKeys.some((key) => key === first)) {
        return { message: `there is no ${[root, ...path].join('.')}`, hint: `write azure.${azureKeys.join(', azure.')}` }
      }
      return { root, path }
    case 'env':
      if (first === undefined || rest.length > 0 || !/^[A-Za-z_]\w*$/.test(first)) {
        return { message: 'an environment variable is one name of letters, digits and _', hint: 'write for example env.HOME' }
      }
      return { root, name: first }
    case 'steps':
      if (first === undefined || rest[0] !== 'outputs') {
        return { message: 'only the outputs of a step can be referred to', hint: `write steps.${first ?? 'ID'}.outputs.NAME` }
      }
      return { root, step: first, path: rest.slice(1) }
    default:
      return { message: `an expression cannot begin with ${JSON.stringify(root.slice(0, 40))}`, hint: `it begins with ${roots.join(', ')}` }
  }
}
