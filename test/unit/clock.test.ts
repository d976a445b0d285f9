import { describe, expect, it } from 'vitest'
import { clockOf, notBefore, type TimeSource } from '../../src/platform/clock/clock.js'
import { setClockAhead } from '../../src/sim/world/set-clock.js'

const hour = 3_600_000
const start = Date.UTC(2026, 10, 25, 12)

/** A machine whose clocks the test moves. */
class Machine implements TimeSource {
  wall = start
  running = 50
  up = 9_000_000
  wallMs = (): number => this.wall
  runningMs = (): number => this.running
  upMs = (): number => this.up

  pass(ms: number): void {
    this.wall += ms
    this.running += ms
    this.up += ms
  }
}

const moment = (offsetMs: number): string => new Date(start + offsetMs).toISOString()

describe('the clock of a run', () => {
  it.each([
    ['forward', 5 * hour],
    ['back', -5 * hour],
  ])('goes on as time passes when the machine’s clock is set %s by hours', (_, byMs) => {
    const machine = new Machine()
    const clock = clockOf({}, machine)
    machine.pass(60_000)
    machine.wall += byMs
    machine.pass(60_000)
    expect(clock.now().toISOString()).toBe(moment(120_000))
    // Tokens and locks are the wire's and the disk's: they follow the machine.
    expect(clock.realNow().getTime()).toBe(start + 120_000 + byMs)
  })

  it('counts the time in which the machine was asleep', () => {
    const machine = new Machine()
    const clock = clockOf({}, machine)
    machine.pass(60_000)
    machine.wall += 2 * hour
    machine.up += 2 * hour
    machine.pass(2_000)
    expect(clock.now().toISOString()).toBe(moment(2 * hour + 62_000))
  })

  it('does not mind that two clocks of a machine differ by a little', () => {
    const machine = new Machine()
    const clock = clockOf({}, machine)
    for (let turn = 0; turn < 100; turn += 1) {
      machine.pass(10_000)
      machine.up += turn % 2 === 0 ? 9 : -9
    }
    expect(clock.now().toISOString()).toBe(moment(1_000_000))
  })

  it('of a world runs at its rate from its epoch, set or not', () => {
    const machine = new Machine()
    const clock = clockOf({ clock: { real: moment(-1000), world: '2019-02-25T19:34:00.000Z', rate: 20 } }, machine)
    machine.pass(1000)
    machine.wall -= 3 * hour
    expect(clock.now().toISOString()).toBe('2019-02-25T19:34:40.000Z')
  })
})

describe('the clock of a run that goes on', () => {
  it('goes on from the last moment of the run where the machine’s is behind it', () => {
    const machine = new Machine()
    const clock = notBefore(clockOf({}, machine), start + 4 * hour)
    machine.pass(60_000)
    expect([clock.now().toISOString(), clock.realNow().toISOString()]).toEqual([moment(4 * hour + 60_000), moment(60_000)])
  })

  it('is the machine’s own where that is later', () => {
    const machine = new Machine()
    machine.pass(4 * hour)
    expect(notBefore(clockOf({}, machine), start + hour).now().toISOString()).toBe(moment(4 * hour))
  })
})

describe('a machine whose clock somebody sets (R12)', () => {
  it.each([5 * hour, -5 * hour])('misleads a client with a deadline of the wall clock, and no run: %i ms', (byMs) => {
    const clock = clockOf({})
    const [before, deadline] = [clock.now().getTime(), Date.now() + hour]
    try {
      setClockAhead(byMs)
      const naive = deadline - Date.now()
      expect(naive > hour || naive < 0).toBe(true)
      expect(Math.abs(new Date().getTime() - Date.now())).toBeLessThan(hour)
      expect(Math.abs(clock.now().getTime() - before)).toBeLessThan(hour)
      expect(new Date(0)).toBeInstanceOf(Date)
    } finally {
      setClockAhead(0)
    }
    expect(Math.abs(Date.now() - before)).toBeLessThan(hour)
  })
})
