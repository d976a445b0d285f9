import { describe, expect, it } from 'vitest'
import { Interrupts } from '../../src/cli/interrupts.js'

describe('signals', () => {
  it.each([
    ['Ctrl-C twice', ['SIGINT', 'SIGINT'], [true, false]],
    ['a window that closes, which shell and kernel both tell', ['SIGHUP', 'SIGHUP'], [true, true]],
    ['a window that closes while it stops', ['SIGINT', 'SIGHUP'], [true, true]],
    ['somebody who ends what a closed window has left', ['SIGHUP', 'SIGTERM'], [true, false]],
  ])('of %s: the first asks for a safe point, a second ends at once, but for a hang-up', (_what, sent, goesOn) => {
    const interrupts = new Interrupts()
    const told: string[] = []
    interrupts.onFirst = (signal) => told.push(signal)
    expect(sent.map((signal) => interrupts.receive(signal))).toEqual(goesOn)
    expect([told, interrupts.first]).toEqual([sent.slice(0, 1), sent[0]])
  })
})
