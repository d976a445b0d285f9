import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { Interrupts } from '../../src/cli/interrupts.js'
import { Screen } from '../../src/cli/screen.js'
import { sayWorldTime } from '../../src/render/headline.js'
import { LocalTimes } from '../../src/render/times.js'
import { Output } from '../../src/render/output.js'
import { event, HandClock } from '../helpers/render-samples.js'

/** What a quiet command has said, after `say` was let at its screen. */
function saidQuietly(say: (screen: Screen) => void): string {
  const stderr = new PassThrough()
  const output = new Output({ stdin: new PassThrough(), stdout: new PassThrough(), stderr })
  say(new Screen({ quiet: true, color: false, input: false }, { output, interrupts: new Interrupts(), env: {}, self: '' }))
  return String(stderr.read() ?? '')
}

describe('the clock that times are of', () => {
  const told = (now: string, speed: number): string | undefined =>
    sayWorldTime({ now: new Date(now), realNow: new Date('2026-11-26T19:00:00Z') }, speed, new LocalTimes('UTC'))

  it('is named where it is not that of the wall', () => {
    expect(told('2019-02-25T20:40:00Z', 30)).toBe("Times are the world's: it is 2019-02-25 20:40 UTC there, 30 times as fast.")
    expect(told('2026-11-26T19:00:00Z', 30)).toContain('30 times as fast')
    expect(told('2019-02-25T20:40:00Z', 1)).toBe("Times are the world's: it is 2019-02-25 20:40 UTC there.")
    expect(told('2026-11-26T19:00:00Z', 1)).toBeUndefined()
  })
})

describe.each([{ json: true }, {}])('a signal, with %j', (options) => {
  const toldBy = (isOver: boolean, looksOn = false): { readonly events: string; readonly said: string } => {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()]
    const interrupts = new Interrupts()
    const output = new Output({ stdin: new PassThrough(), stdout, stderr })
    const screen = new Screen({ ...options, color: false, input: false }, { output, interrupts, env: {}, self: '' })
    const renderer = screen.renderer({ clock: new HandClock(), runbook: {} }, 'r1', [], looksOn)
    if (isOver) renderer.listener(event(1, { type: 'run.finished', outcome: 'succeeded', elapsedMs: 1, wallMs: 1 }))
    interrupts.hear('SIGINT')
    renderer.close()
    return { events: String(stdout.read() ?? ''), said: String(stderr.read() ?? '') }
  }

  it('asks a run at work for a safe point', () => {
    const { events, said } = toldBy(false)
    expect(events + said).toMatch(/run\.stopping|coming to a safe point/)
  })

  it('asks for nothing once the run is over, and is no event of it', () => {
    const { events, said } = toldBy(true)
    expect(events + said).not.toMatch(/run\.stopping|coming to a safe point/)
    expect(said).toContain('The run is over; its marks are being taken off.')
    expect(toldBy(true, true).said).not.toContain('its marks')
  })
})

describe('--quiet', () => {
  it('keeps what is good to know, and says what must be known', () => {
    expect(saidQuietly((screen) => screen.notice('Reading…'))).toBe('')
    expect(saidQuietly((screen) => screen.warn('Took over from run r1.'))).toBe('Took over from run r1.\n')
  })
})
