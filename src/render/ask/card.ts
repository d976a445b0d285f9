import { noPaint, type Paint } from '../color.js'
import type { Room } from '../stage.js'
import { cut, wrap } from '../text.js'

/** What a question says above its answers. */
export interface Card {
  /** The question itself. */
  readonly title: string
  /** What one must know to answer it: paragraphs. */
  readonly about?: readonly string[]
  /** Where all of that is to be seen, if this window has no room for it. */
  readonly rest?: string
  /** How many questions wait behind this one, now. */
  readonly waiting?: () => number
}

export interface Choice<T extends string> {
  readonly value: T
  readonly name: string
}

/** What stands below a card: lines of answers, the one that is active, and how to answer. */
export interface Below {
  readonly answers: readonly string[]
  /** Index of a line. */
  readonly active: number
  /** `isPart`: not all answers have room. Always one line; undefined where nothing has to be said. */
  readonly help?: (isPart: boolean) => string
}

const noAnswers: Below = { answers: [], active: 0 }
/** So many lines of answers stand, if there are so many, whatever has to be cut above them. */
const leastAnswers = 3

/**
 * A question in lines that are broken between words, as many as have room. What is about it is cut first, and says so; then as many
 * answers are shown as there is room for around the active one. Its first line, and how to answer, are the last to go.
 */
export function questionLines(card: Card, room: Room, { answers, active, help }: Below = noAnswers, paint: Paint = noPaint): string[] {
  const columns = Math.max(1, room.columns - 1)
  const rows = room.rows - 1 - (help === undefined ? 0 : 1)
  const about = (card.about ?? []).flatMap((text) => wrap(text, columns - 2).map((part) => `  ${part}`))
  const whole = wrap(`? ${card.title}${sayWaiting(card.waiting?.() ?? 0)}`, columns)
  const least = Math.min(answers.length, leastAnswers)
  const title = cutLines(whole, Math.max(1, rows - least - Math.min(about.length, 1)), columns)
  const left = rows - title.length - answers.length
  const forAbout = Math.max(left - 1, Math.min(rows - title.length - least, 2), Math.min(rows - title.length - 1, 1))
  const shown = cutLines(about, forAbout, columns, card.rest ?? 'a larger window has all of it')
  const below = around(answers, active, rows - title.length - shown.length)
  const blank = rows > title.length + shown.length + below.length ? [''] : []
  const how = help === undefined ? [] : [cut(help(below.length < answers.length), columns)]
  return [...blank, ...title.map((text) => paint('bold', text)), ...shown, ...below, ...how.map((text) => paint('dim', text))]
}

/** The first of the lines, and that there are more: in the last of them, or in a line of its own that says where. */
function cutLines(lines: readonly string[], room: number, columns: number, rest?: string): readonly string[] {
  if (lines.length <= room) return lines
  if (rest !== undefined && room > 1) return [...lines.slice(0, room - 1), cut(`  … (${rest})`, columns)]
  return lines.slice(0, Math.max(0, room)).map((text, index) => (index === room - 1 ? cut(`${text} …`, columns) : text))
}

/** As many of the lines as have room, with the active one among them. */
function around(lines: readonly string[], active: number, room: number): readonly string[] {
  const size = Math.max(lines.length === 0 ? 0 : 1, room)
  const from = Math.max(0, Math.min(active - Math.floor(size / 2), lines.length - size))
  return lines.slice(from, from + size)
}

export function sayWaiting(waiting: number): string {
  return waiting === 0 ? '' : ` (question 1 of ${waiting + 1})`
}
