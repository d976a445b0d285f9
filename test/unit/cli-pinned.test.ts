import { describe, expect, it } from 'vitest'
import { changedError, lineDifference } from '../../src/cli/pinned.js'
import { commandLine } from '../../src/cli/state.js'

describe('how a runbook differs from the one that its run was started with', () => {
  it.each([
    ['no difference', 'a\nb\n', 'a\nb\n', []],
    ['a changed line', 'a\nb\n', 'a\nc\n', ['  - b', '  + c']],
    ['a line more whose twin stands elsewhere', 'x\na\ny\n', 'x\na\ny\na\n', ['  + a']],
    ['a line less whose twin stands elsewhere', 'x\na\ny\na\n', 'x\na\ny\n', ['  - a']],
    ['a newline less at the end', 'a\n', 'a', ['  - ']],
    ['another order', 'x\na\nb\n', 'x\nb\na\n', ['  the same lines in another order, from line 2 on: b']],
  ])('%s', (_what, before, after, difference) => {
    expect(lineDifference(before, after)).toEqual(difference)
  })

  it('is told with a command that can be copied', () => {
    const again = commandLine({ stateDir: '/my runs' }, 'resume', 'r1', '--accept-changes')
    const { hint } = changedError(['  + a'], again)
    expect(hint).toContain("lifeboat resume r1 --accept-changes --state-dir '/my runs'")
  })
})
