import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { lineDifference } from '../../src/cli/pinned.js'
import { StateFolder } from '../../src/journal/index.js'
import { temporaryFolder } from '../helpers/cli.js'
import { lifeboatHere } from '../helpers/cli-here.js'
import { planned, started, ticking } from '../helpers/journal-samples.js'
import { groupSteps, smallRunbook } from '../helpers/small.js'

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

  it.each([
    ['resume', []],
    ['undo', ['--dry-run']],
  ])('is told by %s with a command that can be copied', async (command, flags) => {
    const stateDir = join(temporaryFolder(), 'my runs')
    const runbook = { name: 'small', path: smallRunbook(groupSteps('one')), text: 'other' }
    const journal = await new StateFolder(stateDir).create('r1', ticking())
    await journal.append('run.started', { ...started, runbook })
    await journal.append('run.planned', planned)
    await journal.close()
    const { code, stderr } = await lifeboatHere([command, ...flags, '--state-dir', stateDir])
    const again = ['lifeboat', command, 'r1', ...flags, '--accept-changes', '--state-dir', `'${stateDir}'`].join(' ')
    expect([code, stderr.replaceAll(/\s+/g, ' ')]).toEqual([4, expect.stringContaining(again)])
  })
})
