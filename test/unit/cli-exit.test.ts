import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { exit } from '../../src/cli/exit.js'
import { guarded } from '../../src/cli/guard.js'
import { Interrupts } from '../../src/cli/interrupts.js'
import { orRefused } from '../../src/cli/refusal.js'
import { LifeboatError } from '../../src/contract/index.js'
import { Output } from '../../src/render/output.js'
import { HandClock } from '../helpers/render-samples.js'

/** The exit code of a run that this error ends. */
async function codeOf(code: string, hasBegun: boolean): Promise<number> {
  const output = new Output({ stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() })
  return guarded({ color: false }, { output, interrupts: new Interrupts(), env: {}, self: '' }, (told) => {
    const begins = (): void => void (told.begun = true)
    return orRefused({ listeners: [], run: 'r1', site: { clock: new HandClock() }, begins }, (_planned, begun) => {
      if (hasBegun) begun()
      return Promise.reject(new LifeboatError(code, 'no', { blame: 'user' }))
    })
  })
}

describe('the exit code of a run that an error ends', () => {
  it('says that nothing was changed only where nothing has begun', async () => {
    for (const code of ['child.elsewhere', 'state.key', 'journal.write-failed']) {
      expect([code, await codeOf(code, false)]).toEqual([code, exit.notReady])
      expect([code, await codeOf(code, true)]).toEqual([code, exit.failed])
    }
  })

  it('is the same before and after where it says who has the run, or what is wrong with the tool', async () => {
    for (const hasBegun of [false, true]) {
      expect(await codeOf('journal.displaced', hasBegun)).toBe(exit.locked)
      expect(await codeOf('tool.bug', hasBegun)).toBe(exit.failed)
    }
  })
})
