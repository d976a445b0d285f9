import { errorFacts, LifeboatError } from '../contract/index.js'
import { noPaint, type Paint } from './color.js'
import { oneLine, wrap, wrapAdvice } from './text.js'

export interface ErrorStyle {
  readonly paint?: Paint
  readonly columns?: number
  /** With `--debug`: stacks, and the causes of causes. */
  readonly debug?: boolean
}

/** An error for people: what happened, its code, why, and what to do next. A stack only with `debug`. */
export function errorLines(error: unknown, style: ErrorStyle = {}): string[] {
  const { paint = noPaint, columns = 100, debug = false } = style
  const { code, message, hint, blame } = errorFacts(error)
  const [head = '', ...rest] = message.split(indentedLine)
  const lines = wrap(`error: ${oneLine(head)} [${code}]`, columns).map((text) => paint('red', text))
  lines.push(...rest.flatMap((line) => indented(line, columns)))
  if (error instanceof LifeboatError) {
    // A cause that the message already repeats says nothing new.
    for (const why of causes(error)) {
      if (!oneLine(message).includes(why)) lines.push(...wrap(`because: ${why}`, columns - 2).map((text) => `  ${text}`))
    }
  }
  if (hint !== undefined) lines.push(...wrapAdvice(hint, columns))
  else if (blame === 'tool') lines.push('This is a defect of lifeboat itself. Run it again with --debug and report what it prints.')
  if (debug) lines.push(...stacks(error).map((text) => paint('dim', text)))
  return lines
}

/** A list that one of us wrote under a message keeps its lines; whatever others say is made one. */
const indentedLine = /\n(?= {2,}\S)/

function indented(line: string, columns: number): string[] {
  const margin = /^ */.exec(line)?.[0] ?? ''
  return wrap(oneLine(line), columns - margin.length).map((text) => margin + text)
}

function causes(error: Error): string[] {
  const found: string[] = []
  let cause = error.cause
  while (cause instanceof Error && found.length < 5) {
    const text = oneLine(cause.message)
    if (text !== '' && !found.some((earlier) => earlier.includes(text))) found.push(text)
    cause = cause.cause
  }
  return found
}

function stacks(error: unknown): string[] {
  const found: string[] = []
  let at = error
  for (let depth = 0; at instanceof Error && depth < 5; depth += 1) {
    found.push(...(at.stack ?? '').split('\n').map((text) => `  ${oneLine(text)}`))
    at = at.cause
  }
  return found
}
