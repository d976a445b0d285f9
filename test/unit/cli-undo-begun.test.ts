import { describe, expect, it } from 'vitest'
import { PassThrough } from 'node:stream'
import { Interrupts } from '../../src/cli/interrupts.js'
import { runProgram } from '../../src/cli/program.js'
import { thisMachine } from '../../src/cli/surroundings.js'
import { StateFolder, type RecordData, type RecordType } from '../../src/journal/index.js'
import { Output } from '../../src/render/output.js'
import { lifeboatHere } from '../helpers/cli-here.js'
import { planned, started } from '../helpers/journal-samples.js'
import { smallRunbook } from '../helpers/small.js'
import { tempFolder } from '../helpers/temp-folder.js'

type Entry = { readonly [T in RecordType]: readonly [T, RecordData[T]] }[RecordType]

const [ran, undo, again] = ['20190225-1-a', '20190225-2-a', '20190225-3-a']
const stopped: readonly Entry[] = [
  ['run.started', started],
  ['run.planned', planned],
  ['run.finished', { outcome: 'failed', elapsedMs: 1, wallMs: 1 }],
]
const undoStarted: Entry = ['run.started', { ...started, undoes: ran }]
const marked = (by: string): Entry => ['run.undoing', { by }]

async function stateWith(runs: Readonly<Record<string, readonly Entry[]>>): Promise<string> {
  const root = tempFolder()
  const state = new StateFolder(root)
  for (const [run, entries] of Object.entries(runs)) {
    const journal = await state.create(run, () => new Date())
    for (const [type, data] of entries) await journal.append(type, data)
    await journal.close()
  }
  return root
}

async function offered(command: string, stateDir: string): Promise<readonly string[]> {
  const { stdout } = await lifeboatHere(['complete', '--', command, ''], { LIFEBOAT_STATE_DIR: stateDir })
  return stdout.split('\n').filter((line) => line !== '')
}

/** What an undo that was killed has left in its own journal, before its plan stood there. */
const beginnings: readonly (readonly [string, readonly Entry[]])[] = [
  ['nothing', []],
  ['that it was started', [undoStarted]],
]

describe.each(beginnings)('an undo that was killed when its own journal had %s', (_what, had) => {
  it('has put nothing back: its run is gone on with, or put back, as if there were no such undo', async () => {
    const stateDir = await stateWith({ [ran]: [...stopped, marked(undo)], [undo]: had })
    for (const command of ['resume', 'undo']) {
      const { stderr } = await lifeboatHere([command, ran, '--yes', '--state-dir', stateDir])
      // It comes as far as the runbook, which is not there.
      expect([command, stderr]).toEqual([command, expect.stringContaining('/runbooks/data100.yaml')])
      expect(stderr).not.toContain(undo)
      expect(await offered(command, stateDir)).toEqual([ran])
    }
    const { stdout } = await lifeboatHere(['status', ran, '--json', '--state-dir', stateDir])
    expect(JSON.parse(stdout)).toMatchObject({ next: `lifeboat resume ${ran} --state-dir ${stateDir}` })
    expect(JSON.parse(stdout)).not.toHaveProperty('undoneBy')
    expect((await lifeboatHere(['runs', '--state-dir', stateDir])).stdout).not.toContain('undo begun')
    const asked = await lifeboatHere(['resume', undo, '--state-dir', stateDir])
    expect([asked.code, asked.stderr]).toEqual([4, expect.stringContaining('it changed nothing')])
  })

  it('leaves word to the one before it that has begun', async () => {
    const begun = [undoStarted, ['run.planned', planned]] as const
    const stateDir = await stateWith({ [ran]: [...stopped, marked(undo), marked(again)], [undo]: begun, [again]: had })
    for (const [command, exit] of [['resume', 4], ['undo', 2]] as const) {
      const { code, stderr } = await lifeboatHere([command, ran, '--state-dir', stateDir])
      expect([code, stderr]).toEqual([exit, expect.stringContaining(`lifeboat resume ${undo} --state-dir`)])
    }
    expect(await offered('resume', stateDir)).toEqual([undo])
  })
})

it('of two undos of a run the later one counts, once it has begun', async () => {
  const stateDir = await stateWith({ [ran]: [...stopped, marked(undo), marked(again)], [undo]: [], [again]: [undoStarted, ['run.planned', planned]] })
  const { code, stderr } = await lifeboatHere(['resume', ran, '--state-dir', stateDir])
  expect([code, stderr]).toEqual([4, expect.stringContaining(`lifeboat resume ${again} --state-dir`)])
  expect([await offered('resume', stateDir), await offered('undo', stateDir)]).toEqual([[again], []])
})

it('an undo whose journal is gone may have begun: nobody goes on with its run', async () => {
  const stateDir = await stateWith({ [ran]: [...stopped, marked(undo)] })
  const { code, stderr } = await lifeboatHere(['resume', ran, '--state-dir', stateDir])
  expect([code, stderr]).toEqual([4, expect.stringContaining(`by the undo ${undo}`)])
})

it('a run that an undo has begun to put back while its resume waited for its lock is not gone on with', async () => {
  const runbook = { name: 'small', path: smallRunbook("  - { id: go, uses: gate, with: { ask: 'go on?' } }\n"), text: '' }
  const [, ...since] = stopped
  const stateDir = await stateWith({ [ran]: [['run.started', { ...started, runbook }], ...since], [undo]: [undoStarted, ['run.planned', planned]] })
  const openStore: typeof thisMachine.openStore = async (...of) => {
    // At once after the resume has its lock, as the undo's last act.
    const { journal } = await new StateFolder(stateDir).open(ran, () => new Date())
    await journal.append('run.undoing', { by: undo })
    await journal.close()
    return thisMachine.openStore(...of)
  }
  const stderr = new PassThrough()
  const output = new Output({ stdin: new PassThrough(), stdout: new PassThrough(), stderr })
  const here = { ...thisMachine, openStore }
  const code = await runProgram(['resume', ran, '--yes', '--accept-changes', '--state-dir', stateDir], { output, interrupts: new Interrupts(), env: {}, self: '', here })
  await output.flushed()
  expect([code, String(stderr.read())]).toEqual([4, expect.stringContaining(`lifeboat resume ${undo} --state-dir`)])
})
