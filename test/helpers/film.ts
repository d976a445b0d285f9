import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { expect } from 'vitest'
import { root } from './cli.js'
import type { TerminalSession } from './terminal.js'

const folder = join(root, 'test/golden/screens')
const updating = process.env['UPDATE_SCREENS'] === '1'

/** Text without what is another one in every run: ids, times, ports, and who ran it where. */
export function normalised(text: string): string {
  return text
    .replaceAll(/\b\d{8}-\d{6}-(small|undo)-[a-z0-9]{4}\b/g, '20190225-204000-$1-xxxx')
    .replaceAll(/\brun \d{8}-[^ ]*…/g, 'run 20190225-2…')
    .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:40000')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '2019-02-25T20:40:00.000Z')
    .replaceAll(/\d{4}-\d\d-\d\d(?=[ ,])/g, '2019-02-25')
    .replaceAll(/ {2}(done about \d\d:\d\d( UTC)?, \w+ to go|not before \d\d:\d\d( UTC)?(, at least \w+ to go)?|was expected \d\d:\d\d( UTC)?)/g, '')
    .replaceAll(/\d\d:\d\d:\d\d \+\d\d:\d\d/g, '20:40:00 +00:00')
    .replaceAll(/(?<![\w-])(\d+[hms])+(?![\w-])( +(?=  ))?/g, '0s')
    .replaceAll(/"(elapsedMs|wallMs|remainingMs|pid)":\d+/g, '"$1":0')
    .replaceAll(/Log of this run: [^]*$/g, 'Log of this run: its path')
    .replaceAll(/\bpid \d+/g, 'pid 0')
    .replaceAll(/\n.*expected to be done at .*/g, '')
    // Said where nothing else was for some seconds.
    .replaceAll(/\n.*\d running: .*/g, '')
    .replaceAll(/\/\S*\/(?=small\.yaml)/g, '')
    // Told only where something took a second or more.
    .replaceAll(/\n│?\n│?Critical path: .*/g, '')
    .replaceAll(/Critical path: .*/g, 'Critical path: by what took longest.')
    .replaceAll(hostname(), 'here')
    .replaceAll(new RegExp(`\\b${userInfo().username}\\b`, 'g'), 'ada')
    // Where a line is cut depends on how long the times in it were.
    .replaceAll(/^(.{50}).*…$/gm, '$1…')
    .replaceAll(/[ \t]+$/gm, '')
}

/**
 * What a person saw of one session, moment by moment, beside the golden one in test/golden/screens. `UPDATE_SCREENS=1` writes
 * those anew.
 */
export class Film {
  readonly #path: string
  readonly #golden: string
  #frames = ''

  constructor(name: string) {
    this.#path = join(folder, `${name}.txt`)
    this.#golden = existsSync(this.#path) ? readFileSync(this.#path, 'utf8') : ''
  }

  /**
   * The screen as it comes to be, or the part of it that begins with `from`. A picture is drawn in several writes: what is on the way
   * to the golden one is waited out.
   */
  async frame(title: string, session: TerminalSession, from = ''): Promise<void> {
    const see = (): string => {
      const lines = session.screen()
      const first = Math.max(0, lines.findIndex((line) => line.startsWith(from)))
      return this.#with(title, lines.slice(first).map((line) => `│${line}`).join('\n'))
    }
    if (updating) await settled(see)
    else await expect.poll(() => this.#golden.startsWith(see()), { timeout: 20_000, interval: 50 }).toBe(true).catch(() => undefined)
    this.#take(see())
  }

  /** Text that no terminal had a part in. */
  text(title: string, text: string): void {
    this.#take(this.#with(title, text.trimEnd()))
  }

  end(): void {
    if (!updating) return expect(this.#frames).toBe(this.#golden)
    mkdirSync(folder, { recursive: true })
    writeFileSync(this.#path, this.#frames)
  }

  #with(title: string, text: string): string {
    return `${this.#frames}── ${title} ──\n${normalised(text)}\n\n`
  }

  #take(frames: string): void {
    this.#frames = frames
    if (!updating) expect(frames).toBe(this.#golden.slice(0, frames.length))
  }
}

async function settled(see: () => string): Promise<void> {
  for (let [before, calm] = [see(), 0]; calm < 15; calm += 1) {
    await setTimeout(100)
    const now = see()
    if (now !== before) [before, calm] = [now, 0]
  }
}
