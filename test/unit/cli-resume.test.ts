import { existsSync, mkdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { fold, RunLock, StateFolder, type RecordData, type RecordType } from '../../src/journal/index.js'
import { earlierOf } from '../../src/cli/reader.js'
import { processes } from '../../src/platform/exec/processes.js'
import { temporaryFolder } from '../helpers/cli.js'
import { lifeboatHere } from '../helpers/cli-here.js'
import { planned, Records, started, ticking } from '../helpers/journal-samples.js'
import { smallRunbook } from '../helpers/small.js'

type Entry = { readonly [T in RecordType]: readonly [T, RecordData[T]] }[RecordType]

const ended = (outcome: 'succeeded' | 'interrupted'): Entry => ['run.finished', { outcome, elapsedMs: 1, wallMs: 1 }]

async function stateWith(runs: Readonly<Record<string, readonly Entry[]>>): Promise<string> {
  const stateDir = temporaryFolder()
  for (const [run, entries] of Object.entries(runs)) {
    const journal = await new StateFolder(stateDir).create(run, ticking())
    for (const [type, data] of entries) await journal.append(type, data)
    await journal.close()
  }
  return stateDir
}

describe('a resume without a terminal', () => {
  const gate = "  - { id: go, uses: gate, with: { ask: 'go on?' } }\n"
  const answered = (choice: 'go' | 'stop'): Entry => ['question.answered', { step: 'go', kind: 'gate', answer: { choice, by: 'ada' } }]
  const refusal = async (steps: string, entries: readonly Entry[], ...flags: readonly string[]): Promise<string> => {
    const begun: Entry = ['run.started', { ...started, runbook: { name: 'small', path: smallRunbook(steps), text: '' } }]
    const stateDir = await stateWith({ r1: [begun, ['run.planned', planned], ...entries, ended('interrupted')] })
    const { stderr } = await lifeboatHere(['resume', '--state-dir', stateDir, ...flags])
    return stderr
  }

  it('is refused where a gate is still before it that no flag passes', async () => {
    const said = 'nobody is there to pass the gates that this run has before it'
    expect(await refusal(gate, [])).toContain(said)
    expect(await refusal(gate, [answered('stop')])).toContain(said)
    for (const flags of [['--gate', 'auto'], ['--yes']]) expect(await refusal(gate, [], ...flags)).not.toContain('nobody is there')
  })

  it('needs nobody where there is no gate, or all are passed', async () => {
    expect(await refusal('  - { id: one, uses: azure/resource-group, with: { name: one, location: westus2 } }\n', [])).not.toContain('nobody is there')
    expect(await refusal(gate, [answered('go')])).not.toContain('nobody is there')
  })
})

it('a resume of a run that was killed right after its last record takes away its credentials', async () => {
  const stateDir = await stateWith({ r1: [['run.started', started], ['run.planned', planned], ended('succeeded')] })
  const { secrets } = new StateFolder(stateDir).paths('r1')
  mkdirSync(secrets, { recursive: true })
  const { code, stderr } = await lifeboatHere(['resume', 'r1', '--state-dir', stateDir])
  expect([code, stderr]).toEqual([0, expect.stringContaining('there is nothing to resume')])
  expect(existsSync(secrets)).toBe(false)
})

describe('a resume that names no run', () => {
  it('says which of several are at work, and by whom', async () => {
    const other = { ...started, runbook: { ...started.runbook, name: 'other' } }
    const [live, open] = ['20190225-2-a', '20190225-1-a']
    const stateDir = await stateWith({
      [open]: [['run.started', other], ['run.planned', planned], ended('interrupted')],
      [live]: [['run.started', started], ['run.planned', planned]],
    })
    const { resourceManager, subscription } = started.cloud
    const holder = { user: 'bea', host: 'another-host', pid: 55, started: 'then', run: live }
    await RunLock.acquire(new StateFolder(stateDir).locks, { runbook: 'data100', resourceManager, subscription }, holder, processes, () => new Date())
    const { code, stderr } = await lifeboatHere(['resume', '--state-dir', stateDir])
    expect([code, stderr.replaceAll(/\s+/g, ' ')]).toEqual([2, expect.stringContaining(`the latest is first: ${live} (at work, by bea on another-host, pid 55), ${open}`)])
  })
})

it('whoever goes on with a run knows of each of its lives, and takes none of their ends for its own', () => {
  const life = { owner: started.owner, realStartedAt: started.realStartedAt, acceptedChanges: false }
  const { list } = new Records().add('run.started', started).add('run.planned', planned).add('run.resumed', life).add('run.finished', { outcome: 'interrupted', elapsedMs: 1, wallMs: 1 })
  const told = earlierOf(list, fold(list), 'lifeboat resume').map((event) => (event.type === 'run.started' ? [event.type, event.resumed] : event.type))
  expect(told).toEqual([['run.started', false], 'run.planned', ['run.started', true]])
})

it('an undo that names no run names the one that stands half way, where there is no other', async () => {
  const [run, back] = ['20190225-1-a', '20190225-2-a']
  const stateDir = await stateWith({
    [run]: [['run.started', started], ['run.planned', planned], ended('succeeded'), ['run.undoing', { by: back }]],
    [back]: [['run.started', { ...started, undoes: run }], ['run.planned', planned], ended('interrupted')],
  })
  const { code, stderr } = await lifeboatHere(['undo', '--dry-run', '--state-dir', stateDir])
  expect([code, stderr]).toEqual([2, expect.stringContaining(`lifeboat resume ${back} --state-dir`)])
})

describe('what the Tab key offers', () => {
  it('are to resume runs that are not at their end, and to undo those that are not undone', async () => {
    const begun: readonly Entry[] = [['run.started', started], ['run.planned', planned]]
    const [done, open, undone, undo, lost] = ['20190225-1-a', '20190225-2-a', '20190225-3-a', '20190225-4-a', '20190225-5-a']
    const sim = { pid: process.pid, started: 'another boot/1', control: 'https://127.0.0.1:9/' }
    const rehearsed: Entry = ['run.started', { ...started, mode: 'rehearsal', sim }]
    const stateDir = await stateWith({
      [done]: [...begun, ended('succeeded')],
      [open]: [...begun, ended('interrupted')],
      [undone]: [...begun, ended('interrupted'), ['run.undoing', { by: undo }]],
      [undo]: [['run.started', { ...started, undoes: undone }], ['run.planned', planned], ended('interrupted')],
      [lost]: [rehearsed, ['run.planned', planned], ended('interrupted')],
    })
    const offered = async (command: string): Promise<readonly string[]> => {
      const { stdout } = await lifeboatHere(['complete', '--', command, ''], { LIFEBOAT_STATE_DIR: stateDir })
      return stdout.trimEnd().split('\n')
    }
    expect(await offered('resume')).toEqual([undo, open])
    expect(await offered('undo')).toEqual([open, done])
    expect(await offered('report')).toEqual([lost, undo, undone, open, done])
  })
})
