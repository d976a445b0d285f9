import { stripVTControlCharacters } from 'node:util'
import type { Output } from './output.js'
import { widthOf } from './text.js'

export interface Room {
  readonly columns: number
  readonly rows: number
}

/** Lines for so much room: fewer than `rows`, none as wide as `columns`, so that nothing wraps or scrolls. */
export type Drawing = (room: Room) => readonly string[]

/** A question that stands at the terminal. It draws itself by `Stage.frame`, and takes itself away so that lines can be kept above it. */
export interface Standing {
  hide(): void
  show(): void
}

/** What a prompt needs of the stage. */
export type Place = Pick<Stage, 'opens' | 'stands' | 'closes' | 'frame' | 'columns'>

const eraseLine = '\r\u001b[2K'
const home = '\u001b[H'
const up = (lines: number): string => (lines === 0 ? '' : `\u001b[${lines}A`)
/**
 * So many lines from the cursor on, each by itself, with the cursor where it was. Erased in one go from the first row of the screen on
 * (`CSI J`), tmux would keep them in its history: the operator who scrolls back would find old frames between what happened.
 */
const erase = (lines: number): string => `\r${'\u001b[2K\u001b[1B'.repeat(lines)}${up(lines)}`
/** The lines that end above the cursor, which is then on the first of them. */
const eraseAbove = (lines: number): string => up(lines) + erase(lines)
const showCursor = '\u001b[?25h'
/** The whole screen; a cursor does not go below the last row. */
const eraseAll = (rows: number): string => `${home}${erase(rows)}${home}`
/** Terminals that know it show what is between the two at once; others pass over it. */
const [together, shown] = ['\u001b[?2026h', '\u001b[?2026l']
/** The last lines of the live view, which stay above a question, in a window of so many rows. */
const [footerRows, rowsForBoth] = [3, 20]
/** Lines remembered, to fill the screen again when its size has changed. */
const remembered = 200

/**
 * The one owner of what moves at the bottom of the terminal: the live view of a run and, below it, the question that stands.
 * Lines that stay are written above. When the window changes its size, what terminals make of the old lines differs from one to
 * the next, so the screen is cleared and filled again.
 */
export class Stage {
  readonly #output: Output
  #view: Drawing | undefined
  /** The moving lines on the screen, while no question stands; the cursor is on the line below them. */
  #drawn: readonly string[] = []
  #question: Standing | undefined
  /** Of the question that stands, and what moves above it, in the window as it is now. */
  #frameRows = (): number => 0
  /** What was said while a question was on its way out. */
  #late: string | undefined
  #hasLeft = false
  #tail: string[] = []
  #size: Room

  constructor(output: Output) {
    this.#output = output
    this.#size = { columns: output.columns, rows: output.rows }
  }

  get columns(): number {
    return this.#output.columns
  }

  /** From now on this is drawn, for the room that there is. */
  show(view: Drawing): void {
    this.#view = view
  }

  /** Nothing moves any more. */
  hide(): void {
    this.#view = undefined
    this.redraw()
  }

  /** Draws what has changed. */
  redraw(): void {
    if (this.#late !== undefined) return
    if (this.#hasNewSize()) return this.#refill()
    if (this.#question !== undefined) return this.#question.show()
    this.#replace(this.#lines())
  }

  /** Writes text that stays, above what moves; it ends in a line break. */
  keep(text: string): void {
    this.#remember(text)
    if (this.#late !== undefined) {
      this.#late += text
    } else if (this.#question !== undefined) {
      this.#aroundQuestion(eraseLine + text)
    } else {
      const back = this.#drawn.map((line) => `${line}\n`).join('')
      this.#output.say(this.#drawn.length === 0 ? text : `${together}${eraseAbove(this.#drawn.length)}${text}${back}${shown}`)
    }
  }

  /** A question is about to be drawn: from now on what moves is part of its frame. */
  opens(): void {
    this.#replace([])
  }

  /** It is drawn (in the same turn), and draws itself again when it is told to. */
  stands(question: Standing): void {
    this.#question = question
  }

  /** It draws no more; it is still to be taken off the screen. */
  closes(): void {
    this.#question = undefined
    this.#late = ''
  }

  /** It is off the screen. */
  closed(): void {
    this.#question = undefined
    this.#output.say(this.#late ?? '')
    this.#late = undefined
    this.redraw()
  }

  /**
   * What moves and the question below it, in fewer lines than the terminal has; `reserved` of them are left to the caller. Of what
   * moves the last lines stay, whatever the question: how long it takes, how late it is, how to stop it.
   */
  frame(question: Drawing, reserved = 0): string {
    this.#frameRows = () => this.#frameLines(question, reserved).length + reserved
    return this.#frameLines(question, reserved).join('\n')
  }

  #frameLines(question: Drawing, reserved: number): readonly string[] {
    const { columns } = this.#output
    const rows = this.#output.rows - reserved
    const kept = this.#view === undefined || this.#output.rows < rowsForBoth ? 0 : footerRows
    const below = question({ columns, rows: rows - kept }).slice(0, Math.max(1, rows - 1))
    const above = this.#view?.({ columns, rows: rows - below.length }) ?? []
    const room = rows - 1 - below.length
    return [...(room < 2 ? [] : above.slice(0, room)), ...below]
  }

  /** Takes off what moves: the process is about to be stopped, and the shell writes here. */
  leaves(): void {
    this.#hasLeft = true
    this.#question?.hide()
    this.#replace([])
    this.#output.say(eraseLine + showCursor)
  }

  /** The process goes on: all that moves is drawn below what was written meanwhile; if it never left, that is in the midst of it. */
  returns(): void {
    if (!this.#hasLeft) return this.#refill()
    this.#hasLeft = false
    this.redraw()
  }

  #lines(): readonly string[] {
    return this.#view?.({ columns: this.#output.columns, rows: this.#output.rows }) ?? []
  }

  /** Only what differs is written. */
  #replace(lines: readonly string[]): void {
    const before = this.#drawn
    let same = 0
    while (same < before.length && same < lines.length && before[same] === lines[same]) same += 1
    this.#drawn = lines
    if (same === before.length && same === lines.length) return
    const rest = lines.slice(same).map((line) => `${line}\n`)
    this.#output.say(`${together}${eraseAbove(before.length - same)}${rest.join('')}${shown}`)
  }

  #aroundQuestion(text: string): void {
    this.#output.say(together)
    this.#question?.hide()
    this.#output.say(text)
    this.#question?.show()
    this.#output.say(shown)
  }

  #hasNewSize(): boolean {
    const { columns, rows } = this.#output
    return columns !== this.#size.columns || rows !== this.#size.rows
  }

  #refill(): void {
    const { columns, rows } = this.#output
    this.#size = { columns, rows }
    // Not more than leaves room for both: what scrolled away would stand in the history of the terminal a second time.
    if (this.#question !== undefined) return this.#aroundQuestion(eraseAll(rows) + this.#tailFor(1 + rows - this.#frameRows(), columns))
    const lines = this.#lines()
    this.#drawn = lines
    this.#output.say(`${together}${eraseAll(rows)}${this.#tailFor(rows - lines.length, columns)}${lines.map((line) => `${line}\n`).join('')}${shown}`)
  }

  /** As many of the last lines as fit above the one that the cursor is on. */
  #tailFor(rows: number, columns: number): string {
    let room = rows - 1
    const fitting: string[] = []
    for (const line of this.#tail.slice(-remembered).reverse()) {
      room -= Math.max(1, Math.ceil(widthOf(stripVTControlCharacters(line)) / columns))
      if (room < 0) break
      fitting.unshift(`${line}\n`)
    }
    return fitting.join('')
  }

  #remember(text: string): void {
    this.#tail.push(...text.replace(/\n$/, '').split('\n'))
    if (this.#tail.length > 2 * remembered) this.#tail = this.#tail.slice(-remembered)
  }
}
