import { describe, expect, it } from 'vitest'
import type { RunEvent } from '../../src/contract/index.js'
import { viewOf } from '../../src/render/live-view.js'
import { at, event, layout, running, viewAfter } from '../helpers/render-samples.js'

describe('the footer of the live view', () => {
  it('says both ends of what is expected, once earlier runs are known', () => {
    const p90 = { remainingMs: 44 * 60_000, atLeastMs: 0, finishAt: at(46) }
    const known = [...running, event(2, { type: 'eta.updated', remainingMs: 36 * 60_000, atLeastMs: 0, finishAt: at(38), p90 })]
    expect(viewOf(viewAfter(known), layout).at(-2)).toBe('elapsed 3m  done about 13:18 (nine in ten by 13:26), 35m to go  7m to spare')
    // One run so far, or all alike: there is no second end to tell.
    const alike = [...running, event(2, { type: 'eta.updated', remainingMs: 36 * 60_000, atLeastMs: 0, finishAt: at(38), p90: { ...p90, finishAt: at(38) } })]
    expect(viewOf(viewAfter(alike), layout).at(-2)).toBe('elapsed 3m  done about 13:18 GMT-8, 35m to go  objective 45m, 7m to spare')
    const narrow = viewOf(viewAfter(known), { ...layout, columns: 70 }).at(-2)
    expect(narrow).toBe('elapsed 3m  done about 13:18 (nine in ten by 13:26)  7m to spare')
    const hour = viewOf(viewAfter(known), { ...layout, nowMs: Date.parse(at(70)) }).at(-2)
    expect(hour).toBe('elapsed 1h10m  was expected 13:18 GMT-8  objective 45m, late by 25m')
  })

  it('says what is left of the objective where no end is expected, and not that it is spared', () => {
    const past = [...running, event(2, { type: 'eta.updated', remainingMs: 60_000, atLeastMs: 0, finishAt: at(3) })]
    const shown = (events: readonly RunEvent[]): string | undefined =>
      viewOf(viewAfter(events), { ...layout, nowMs: Date.parse(at(5)) }).at(-2)
    expect(shown(running.filter(({ type }) => type !== 'eta.updated'))).toBe('elapsed 5m  objective 45m, 40m left of it')
    expect(shown(past)).toBe('elapsed 5m  was expected 12:43 GMT-8  objective 45m, 40m left of it')
  })

  it('leaves the id of the run to a window that has room for it, and never the way to stop', () => {
    const narrow = viewOf(viewAfter(running), { ...layout, columns: 40 }).at(-1)
    expect(narrow).toMatch(/^0\/\d+ steps {2}Ctrl-C: safe stop {2}run /)
    expect(viewOf(viewAfter(running), layout).at(-1)).toMatch(/steps {2}run .*Ctrl-C: safe stop$/)
  })

  it('says while it stops what it still waits for, and expects no end', () => {
    const shown = (...events: RunEvent[]): string | undefined => viewOf(viewAfter([...running, ...events]), layout).at(-2)
    const stopped = event(3, { type: 'run.stopping', signal: 'SIGINT' })
    expect(shown(stopped)).toBe('elapsed 3m  stopping: cluster, server  objective 45m, 42m left of it')
    const error = { code: 'azure.quota', message: 'no cores left', blame: 'user', retryable: false } as const
    const asked = event(3, { type: 'question.asked', step: 'server', question: { kind: 'failure', step: 'server', error } })
    expect(viewOf(viewAfter([...running, asked, stopped]), layout).join('\n')).not.toContain('waits for an answer')
    const answered = event(3, { type: 'question.answered', step: 'server', kind: 'failure', answer: { choice: 'stop', by: 'ada' } })
    expect(shown(asked, answered)).toContain('stopping: cluster ')
  })

  it('says when the objective will be missed', () => {
    const late = [...running, event(3, { type: 'eta.updated', remainingMs: 47 * 60_000, atLeastMs: 0, finishAt: at(50) })]
    expect(viewOf(viewAfter(late), { ...layout, columns: 200 }).at(-2)).toContain('objective 45m, late by 5m')
  })

  it('moves the expected end away while a question waits for its answer, or a step takes longer than it should', () => {
    const waits = [...running, event(2, { type: 'eta.updated', remainingMs: 36 * 60_000, atLeastMs: 30 * 60_000, finishAt: at(38) })]
    const shown = (minutes: number): string | undefined =>
      viewOf(viewAfter(waits), { ...layout, columns: 200, nowMs: Date.parse(at(minutes)) }).at(-2)
    expect(shown(5)).toContain('done about 13:18 GMT-8, 33m to go  objective 45m, 7m to spare')
    expect(shown(20)).toContain('not before 13:30 GMT-8, at least 30m to go  objective 45m, late by at least 5m')
  })

  it('tells no end of a step that takes longer than it should from what comes after it', () => {
    const waits = [...running, event(2, { type: 'eta.updated', remainingMs: 60_000, atLeastMs: 5_000, finishAt: at(3) })]
    const shown = (minutes: number): string | undefined => viewOf(viewAfter(waits), { ...layout, nowMs: Date.parse(at(minutes)) }).at(-2)
    expect(shown(3)).toBe('elapsed 3m  done about 12:43 GMT-8, 5s to go  objective 45m, 41m55s to spare')
    expect(shown(9)).toBe('elapsed 9m  not before 12:49, at least 5s to go  objective 45m, 36m left of it')
    // However lately it was told, when something else came to its end.
    const overrun = [...running, event(21.5, { type: 'eta.updated', remainingMs: 5_000, atLeastMs: 5_000, finishAt: at(21.5 + 5 / 60) })]
    const after = viewOf(viewAfter(overrun), { ...layout, nowMs: Date.parse(at(21.5)) }).at(-2)
    expect(after).toBe('elapsed 21m30s  not before 13:01  objective 45m, 23m30s left of it')
  })

  it('tells no end while a question stands that holds up all that is still to come', () => {
    const asked = event(3, { type: 'question.asked', step: 'ready-to-cut', question: { kind: 'gate', step: 'ready-to-cut', text: 'Cut it?' } })
    const told = (atLeast: number): RunEvent => event(3, { type: 'eta.updated', remainingMs: 600_000, atLeastMs: atLeast * 60_000, finishAt: at(13) })
    const shown = (...more: readonly RunEvent[]): string | undefined => viewOf(viewAfter([...running, ...more]), layout).at(-2)
    expect(shown(told(10), asked)).toContain('not before 12:53, at least 10m to go')
    expect(shown(told(8), asked)).toContain('done about 12:53 GMT-8, 10m to go')
    expect(shown(told(10))).toContain('done about 12:53 GMT-8, 10m to go')
  })

  it.each([
    ['late', at(50), 'elapsed 3m  done about 13:30 GMT-8, 47m to go  objective 45m, late by 5m', ['late by 5m', 'done about 13:30', 'to go', 'objective 45m', 'GMT-8']],
    ['in time', at(38), 'elapsed 3m  done about 13:18 GMT-8, 35m to go  objective 45m, 7m to spare', ['done about 13:18', 'to go', 'objective 45m', 'GMT-8']],
  ])('cuts no number in a window of any width, and leaves out first what matters least: %s', (_how, finishAt, whole, parts) => {
    const events = [...running, event(3, { type: 'eta.updated', remainingMs: Date.parse(finishAt) - Date.parse(at(3)), atLeastMs: 0, finishAt })]
    const footer = (columns: number): [string, string] => viewOf(viewAfter(events), { ...layout, columns }).slice(-2) as [string, string]
    expect(footer(81)[0]).toBe(whole)
    const words = new Set(whole.split(/,? +/))
    for (let columns = 80; columns > 0; columns -= 1) {
      const [time, run] = footer(columns)
      expect(time.split(/,? +/).filter((word) => word !== '' && !words.has(word)), `${columns}`).toEqual([])
      const keys = 'Ctrl-C: safe stop'
      expect(run).toMatch(new RegExp(`^0/5 steps {2}(run r1 simulated {2}${keys}|${keys}( {2}run r1)?)$|^(${keys}|[^\\d]*…)$`))
    }
    const narrower = Array.from({ length: 81 }, (_, index) => 81 - index)
    const leastOf = (part: string): number => narrower.findLast((columns) => footer(columns)[0].includes(part)) ?? 0
    const widths = parts.map(leastOf)
    expect(widths).toEqual([...widths].sort((a, b) => a - b))
  })
})
