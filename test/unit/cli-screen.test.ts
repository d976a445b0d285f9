import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { Interrupts } from '../../src/cli/interrupts.js'
import { Screen } from '../../src/cli/screen.js'
import { Output } from '../../src/render/output.js'

/** What a quiet command has said, after `say` was let at its screen. */
function saidQuietly(say: (screen: Screen) => void): string {
  const stderr = new PassThrough()
  const output = new Output({ stdin: new PassThrough(), stdout: new PassThrough(), stderr })
  say(new Screen({ quiet: true, color: false, input: false }, { output, interrupts: new Interrupts(), env: {}, self: '' }))
  return String(stderr.read() ?? '')
}

describe('--quiet', () => {
  it('keeps what is good to know, and says what must be known', () => {
    expect(saidQuietly((screen) => screen.notice('Reading…'))).toBe('')
    expect(saidQuietly((screen) => screen.warn('Took over from run r1.'))).toBe('Took over from run r1.\n')
  })
})
