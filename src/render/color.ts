import { styleText } from 'node:util'

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

/** Text with a style, or as it is where colours are not wanted. */
export type Paint = (style: Style, text: string) => string

export const noPaint: Paint = (_style, text) => text

// Whether to colour has been decided by then, for a stream that styleText does not know.
const colored: Paint = (style, text) => (text === '' ? '' : styleText(style, text, { validateStream: false }))

export interface ColorWishes {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Is the stream that is written to a terminal? */
  readonly isTerminal: boolean
  /** False for `--no-color`. */
  readonly flag?: boolean
}

/**
 * Are colours wanted? `--no-color` wins, then FORCE_COLOR, then NO_COLOR (any value but an empty one, as no-color.org
 * says), then TERM=dumb, then whether it is a terminal at all. FORCE_COLOR before NO_COLOR is Node's own order.
 */
export function colorsWanted({ env, isTerminal, flag }: ColorWishes): boolean {
  if (flag === false) return false
  const forced = env['FORCE_COLOR']
  if (forced !== undefined && forced !== '') return forced !== '0' && forced !== 'false'
  if (isSet(env['NO_COLOR']) || env['TERM'] === 'dumb') return false
  return isTerminal
}

export function paintFor(wishes: ColorWishes): Paint {
  return colorsWanted(wishes) ? colored : noPaint
}

/** Colours for certain: for tests and for callers that have decided. */
export function paint(enabled: boolean): Paint {
  return enabled ? colored : noPaint
}

export function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== ''
}
