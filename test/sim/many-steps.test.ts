import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import headless from '@xterm/headless'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../helpers/cli.js'
import { served } from '../helpers/served.js'
import { smallRunbook } from '../helpers/small.js'
import { hasTerminals, inTerminal } from '../helpers/terminal.js'

const [columns, rows] = [80, 24]
const count = process.env['SITES'] === 'all' ? 500 : 200

/** Each a file that is there or not; half of them wait for one of the other half. */
const steps = Array.from({ length: count }, (_, at) => {
  const needs = at < count / 2 ? '' : `step-${at - count / 2}`
  const inputs = `run: [touch, done-${at}], observe: [./there, done-${at}], describe: make ${at}`
  return `  - { id: step-${at}, uses: exec, needs: [${needs}], with: { ${inputs} } }\n`
}).join('')

/** The end of a picture: terminals show it all at once from here on. */
const pictureEnd = '\u001b[?2026l'

/** Looks at the screen after each picture that was written. */
async function pictures(raw: string, look: (screen: string[], scrolledAway: string[]) => void): Promise<number> {
  const terminal = new headless.Terminal({ cols: columns, rows, scrollback: 20_000, allowProposedApi: true })
  const written = raw.split(pictureEnd).slice(0, -1)
  for (const one of written) {
    await new Promise<void>((resolve) => void terminal.write(one + pictureEnd, resolve))
    const { active } = terminal.buffer
    const line = (at: number): string => active.getLine(at)?.translateToString(true) ?? ''
    const all = Array.from({ length: active.length }, (_, at) => line(at))
    look(all.slice(active.baseY), all.slice(Math.max(0, active.baseY - 200), active.baseY))
  }
  terminal.dispose()
  return written.length
}

it.skipIf(!hasTerminals)(`a run of ${count} steps on a screen of 80 × 24 is drawn whole each time, never scrolls away, and as often as time passes, not as steps end`, async () => {
  // A world whose clock is the machine's: quick commands are all that takes time.
  await using world = await served(undefined, 1)
  const runbook = smallRunbook(steps)
  writeFileSync(join(dirname(runbook), 'there'), '#!/bin/sh\ntest -e "$1" && exit 0\nexit 10\n', { mode: 0o755 })
  const env = { LIFEBOAT_STATE_DIR: temporaryFolder() }
  const session = inTerminal(['run', runbook, '--cloud', world.cloudPath, '--confirm=small'], { env })
  await session.waitFor('elapsed')
  const from = Date.now()
  expect(await session.ended, session.screen().join('\n')).toBe(0)
  const elapsedMs = Date.now() - from
  expect(session.screen().join('\n')).toContain('small succeeded')
  const kept = session.scrolled().flatMap((line) => /^✓ (step-\d+) /.exec(line)?.[1] ?? [])
  expect([kept.length, new Set(kept).size]).toEqual([count, count])

  const raw = session.raw()
  let live = 0
  const drawn = await pictures(raw, (screen, scrolledAway) => {
    const footers = screen.filter((line) => line.includes('elapsed'))
    live += footers.length
    expect(footers.length, screen.join('\n')).toBeLessThanOrEqual(1)
    expect(scrolledAway.filter((line) => line.includes('elapsed'))).toEqual([])
  })
  expect(live).toBeGreaterThan(10)
  // Four times a second at most, each time the lines that stay and what moves below them.
  expect(drawn).toBeLessThanOrEqual(2 * (elapsedMs / 250 + 2) + 10)
  const ofOneScreen = rows * (columns + 40)
  expect(raw.length).toBeLessThan(drawn * ofOneScreen + count * 3 * columns)
})
