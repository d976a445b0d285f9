import { stripVTControlCharacters } from 'node:util'
import { noPaint, type Paint, type Style } from './color.js'

/** A piece of a line: how it looks is told apart from what it says, so that a line can be cut before it is coloured. */
export type Span = string | readonly [Style, string]

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' })
const wide = /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u

/** Columns that a text takes in a terminal. */
export function widthOf(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length
  let width = 0
  for (const { segment } of segmenter.segment(text)) width += wide.test(segment) ? 2 : 1
  return width
}

/**
 * Text from elsewhere (a server's message, a program's output) as one harmless line: no escape sequence reaches the
 * terminal, and a line break becomes a space.
 */
export function oneLine(text: string): string {
  // eslint's rule on control characters is about mistakes; these are meant.
  return stripVTControlCharacters(text).replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim()
}

/** Cuts a text at `columns`, with `…` where something is missing. */
export function cut(text: string, columns: number): string {
  return widthOf(text) <= columns ? text : shorten(text, columns)
}

/** As much of a text as leaves room for `…`, and no part of a number. */
function shorten(text: string, columns: number): string {
  if (columns <= 0) return ''
  let width = 0
  let kept = ''
  for (const { segment } of segmenter.segment(text)) {
    width += wide.test(segment) ? 2 : 1
    if (width > columns - 1) break
    kept += segment
  }
  // Half of `12m30s` would be another time.
  const isInNumber = /^[\dhms]/.test(text.slice(kept.length))
  return `${isInNumber ? kept.replace(/\d[\dhms:.,]*$/, '') : kept}…`
}

/** Pads on the right, so that columns line up; never cuts. */
export function pad(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - widthOf(text)))
}

/** One line of spans, cut at `columns` as a whole and then coloured. */
export function line(spans: readonly Span[], paint: Paint = noPaint, columns = Infinity): string {
  let left = columns
  let text = ''
  for (const [index, span] of spans.entries()) {
    const [style, plain] = typeof span === 'string' ? [undefined, span] : span
    const followed = spans.slice(index + 1).some((next) => (typeof next === 'string' ? next : next[1]) !== '')
    // A span that fills the line, with more to come, gives up a column to say so.
    const full = followed && widthOf(plain) === left
    const fitting = full ? shorten(plain, left) : cut(plain, left)
    text += style === undefined ? fitting : paint(style, fitting)
    left -= widthOf(fitting)
    if (fitting !== plain) break
  }
  return text
}

/** Breaks a text into lines of at most `columns`, between words where that is possible. */
export function wrap(text: string, columns: number): string[] {
  const width = Math.max(10, columns)
  const lines: string[] = []
  let current = ''
  for (const word of oneLine(text).split(' ')) {
    const longer = current === '' ? word : `${current} ${word}`
    if (widthOf(longer) <= width) {
      current = longer
      continue
    }
    if (current !== '') lines.push(current)
    current = word
    while (widthOf(current) > width) {
      lines.push(current.slice(0, width))
      current = current.slice(width)
    }
  }
  return current === '' && lines.length > 0 ? lines : [...lines, current]
}

/** The same of spans, which keep their looks; lines after the first begin with `indent`. Blanks within a line stay as they are. */
export function wrapSpans(spans: readonly Span[], columns: number, indent: string, paint: Paint = noPaint): string[] {
  const lines: Span[][] = [[]]
  let width = 0
  for (const span of spans) {
    for (const part of textOf(span).match(/\s+|\S+/gu) ?? []) {
      const breaks = width + widthOf(part) > columns && width > indent.length
      if (breaks) {
        lines.push([indent])
        width = indent.length
      }
      if (breaks && part.trim() === '') continue
      lines.at(-1)?.push(typeof span === 'string' ? part : [span[0], part])
      width += widthOf(part)
    }
  }
  const ended = (parts: readonly Span[]): readonly Span[] => parts.slice(0, 1 + parts.findLastIndex((part) => textOf(part).trim() !== ''))
  return lines.map((parts) => line(joined(ended(parts)), paint, columns))
}

const textOf = (span: Span): string => (typeof span === 'string' ? span : span[1])

/** Neighbours that look the same, as one. */
function joined(spans: readonly Span[]): readonly Span[] {
  return spans.reduce<Span[]>((all, span) => {
    const last = all.at(-1)
    if (typeof span === 'string' && typeof last === 'string') all[all.length - 1] = last + span
    else if (typeof span !== 'string' && last !== undefined && typeof last !== 'string' && last[0] === span[0]) all[all.length - 1] = [span[0], last[1] + span[1]]
    else all.push(span)
    return all
  }, [])
}

/** The same, but a command of ours at the end (`To go on: lifeboat resume r1`) stands whole on a line of its own, to be copied. */
export function wrapAdvice(text: string, columns: number): string[] {
  const [, said, command] = /^(.*:) (lifeboat .+)$/.exec(oneLine(text)) ?? []
  if (said === undefined || command === undefined || widthOf(oneLine(text)) <= columns) return wrap(text, columns)
  return [...wrap(said, columns), `  ${command}`]
}

/** The first of these that fits so many columns, fullest first; else the last. */
export function fitting(texts: readonly string[], columns: number): string {
  return texts.find((text) => widthOf(text) <= columns) ?? texts.at(-1) ?? ''
}

/** `1 change`, `3 changes`. */
export function count(amount: number, noun: string, plural = `${noun}s`): string {
  return `${amount} ${amount === 1 ? noun : plural}`
}
