import { noPaint, type Paint } from '../color.js'
import type { Room } from '../stage.js'
import { wrap } from '../text.js'

/** What a question says above its answers. */
export interface Card {
  /** The question itself. */
  readonly title: string
  /** What one must know to answer it: paragraphs. */
  readonly about?: readonly string[]
  /** How many questions wait behind this one, now. */
  readonly waiting?: () => number
}

export interface Choice<T extends string> {
  readonly value: T
  readonly name: string
}

/**
 * A card in lines that are broken between words. `below` is how many lines the answers take: where all of it has no room, what
 * is about the question is cut, and says so.
 */
export function cardLines(card: Card, room: Room, below: number, paint: Paint = noPaint): readonly string[] {
  const columns = Math.max(1, room.columns - 1)
  const title = wrap(`? ${card.title}${sayWaiting(card.waiting?.() ?? 0)}`, columns).map((text) => paint('bold', text))
  const about = (card.about ?? []).flatMap((text) => wrap(text, columns - 2).map((part) => `  ${part}`))
  const left = room.rows - 1 - 1 - title.length - below
  const fitting = about.length <= left ? about : [...about.slice(0, Math.max(0, left - 1)), ...(left > 0 ? ['  …'] : [])]
  return ['', ...title, ...fitting]
}

/** As many of the lines as have room, with the active one among them. */
export function around(lines: readonly string[], active: number, room: number): readonly string[] {
  const size = Math.max(1, room)
  const from = Math.max(0, Math.min(active - Math.floor(size / 2), lines.length - size))
  return lines.slice(from, from + size)
}

export function sayWaiting(waiting: number): string {
  return waiting === 0 ? '' : ` (question 1 of ${waiting + 1})`
}
