import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { defaultStateDir, newRunId, StateFolder } from '../../src/journal/index.js'
import { lifeboatHere } from '../helpers/cli-here.js'
import { planned, run, started, ticking } from '../helpers/journal-samples.js'
import { tempFolder } from '../helpers/temp-folder.js'

const like = (pattern: RegExp): unknown => expect.stringMatching(pattern)
const modeOf = (path: string): number => statSync(path).mode & 0o777

async function withRun(state: StateFolder, id: string, outcome?: 'succeeded' | 'failed'): Promise<void> {
  const journal = await state.create(id, ticking())
  await journal.append('run.started', started)
  await journal.append('run.planned', planned)
  if (outcome !== undefined) await journal.append('run.finished', { outcome, elapsedMs: 1, wallMs: 1 })
  await journal.close()
}

describe('the state folder', () => {
  it('makes nothing before there is a run', async () => {
    const root = join(tempFolder(), 'lifeboat')
    expect(await new StateFolder(root).runs()).toEqual([])
    expect(existsSync(root)).toBe(false)
  })

  it('keeps each journal to its owner, under its run', async () => {
    const root = join(tempFolder(), 'state', 'lifeboat')
    const state = new StateFolder(root)
    await withRun(state, run)
    const { folder, journal } = state.paths(run)
    expect(journal).toBe(join(root, 'runs', run, 'journal.ndjson'))
    expect(readFileSync(journal, 'utf8')).toMatch(/^\{"v":1,"seq":1,.*\}\n.*\n$/)
    expect([modeOf(journal), modeOf(folder), modeOf(root)]).toEqual([0o600, 0o700, 0o700])
  })

  it('takes away the credentials of runs that are over for good, and of no other', async () => {
    const state = new StateFolder(tempFolder())
    await withRun(state, 'over', 'succeeded')
    await withRun(state, 'open')
    await withRun(state, 'failed', 'failed')
    for (const [undone, outcome] of [['put-back', 'succeeded'], ['half-back', 'failed']] as const) {
      await withRun(state, undone, 'failed')
      const { journal } = await state.open(undone, ticking())
      await journal.append('run.undoing', { by: `${undone}-undo` })
      await journal.close()
      await withRun(state, `${undone}-undo`, outcome)
    }
    const left = ['over', 'open', 'failed', 'put-back', 'half-back', 'no-run']
    for (const id of left) mkdirSync(join(state.paths(id).secrets, 'kube-1'), { recursive: true })
    await state.sweepOver()
    expect(left.filter((id) => existsSync(state.paths(id).secrets))).toEqual(['open', 'failed', 'half-back', 'no-run'])
    for (const dead of ['open', 'no-run']) await state.sweepOver(dead)
    expect(left.filter((id) => existsSync(state.paths(id).secrets))).toEqual(['open', 'failed', 'half-back'])
  })

  it('opens a run again to go on with it', async () => {
    const state = new StateFolder(tempFolder())
    await withRun(state, run)
    const { journal, records } = await state.open(run, ticking())
    expect(records).toHaveLength(2)
    expect((await journal.append('step.applied', { step: 'x' })).seq).toBe(3)
    await journal.close()
    expect((await state.read(run)).records).toEqual(journal.records)
  })

  it('takes an open run from whoever has it open: that one learns so with its next record, and adds nothing to it', async () => {
    const state = new StateFolder(tempFolder())
    const first = await state.create(run, ticking())
    await first.append('run.started', started)
    const { journal } = await state.open(run, ticking())
    await expect(first.append('run.planned', planned)).rejects.toMatchObject({ code: 'journal.displaced' })
    await expect(first.append('step.applied', { step: 'x' })).rejects.toMatchObject({ code: 'journal.displaced' })
    await journal.append('run.planned', planned)
    await Promise.all([first.close(), journal.close()])
    expect((await state.read(run)).records.map(({ type }) => type)).toEqual(['run.started', 'run.planned'])
    expect(modeOf(state.paths(run).journal)).toBe(0o600)
  })

  it('does not count as written what is removed behind its back', async () => {
    const state = new StateFolder(tempFolder())
    const journal = await state.create(run, ticking())
    rmSync(state.paths(run).folder, { recursive: true })
    await expect(journal.append('run.started', started)).rejects.toMatchObject({ code: 'journal.displaced' })
    await journal.close()
  })

  it('starts a run whose folder is there already, with credentials say, and does not list it before', async () => {
    const state = new StateFolder(tempFolder())
    mkdirSync(state.paths(run).secrets, { recursive: true })
    expect(await state.runs()).toEqual([])
    await expect(state.open(run, ticking())).rejects.toMatchObject({ code: 'run.unknown' })
    await withRun(state, run)
    expect(await state.runs()).toHaveLength(1)
  })

  it('does not start a run twice under one id', async () => {
    const state = new StateFolder(tempFolder())
    await withRun(state, run)
    await expect(state.create(run, ticking())).rejects.toMatchObject({ code: 'run.exists' })
  })

  it('cuts a torn tail off when a run is opened, not when it is only read: it may be being written', async () => {
    const state = new StateFolder(tempFolder())
    await withRun(state, run)
    const path = state.paths(run).journal
    appendFileSync(path, '{"v":1,"se')
    expect((await state.read(run)).tornBytes).toBe(10)
    expect(readFileSync(path, 'utf8')).toMatch(/"se$/)
    const { journal, cut } = await state.open(run, ticking())
    await journal.close()
    expect(cut).toMatch(/line 3, 10 bytes/)
    expect(readFileSync(path, 'utf8')).toMatch(/\}\n$/)
  })

  it('refuses a damaged journal, naming file and line', async () => {
    const state = new StateFolder(tempFolder())
    await withRun(state, run)
    const path = state.paths(run).journal
    writeFileSync(path, readFileSync(path, 'utf8').replace('ann', 'bob'))
    const message = `line 1 of ${path} is damaged: its checksum does not match`
    await expect(state.open(run, ticking())).rejects.toMatchObject({ code: 'journal.damaged', message })
    await expect(state.read(run)).rejects.toMatchObject({ code: 'journal.damaged', message })
  })

  it('suggests near names for an unknown run', async () => {
    const state = new StateFolder(tempFolder())
    for (const id of ['20190225-124003-data100-x7k2', '20190301-080000-data8-abcd']) await withRun(state, id)
    const hintFor = (id: string): Promise<unknown> => state.open(id, ticking()).catch((error: unknown) => error)
    expect(await hintFor('20190225-124003-data100-x7k3')).toMatchObject({ code: 'run.unknown', hint: like(/mean 20190225-124003-data100-x7k2\?/) })
    expect(await hintFor('abcd')).toMatchObject({ hint: like(/mean 20190301-080000-data8-abcd\?/) })
    expect(await hintFor('nothing-like-it')).toMatchObject({ hint: 'All of them are listed by: lifeboat runs' })
  })

  it.each(['../../etc', '', '.', 'a/b', 'A'])('takes no path for a run: %j', async (id) => {
    const state = new StateFolder(tempFolder())
    await expect(state.open(id, ticking())).rejects.toMatchObject({ code: 'run.unknown' })
    await expect(state.create(id, ticking())).rejects.toMatchObject({ code: 'run.unknown' })
  })

  it('says what to do if it cannot be written', async () => {
    const root = join(tempFolder(), 'file')
    writeFileSync(root, '')
    await expect(new StateFolder(root).create(run, ticking())).rejects.toMatchObject({
      code: 'journal.write-failed',
      hint: like(/--state-dir/),
    })
  })
})

describe('the list of runs', () => {
  it('has the latest first, with where each stands', async () => {
    const state = new StateFolder(tempFolder())
    await withRun(state, '20190225-1-a', 'succeeded')
    await withRun(state, '20190227-1-c')
    await withRun(state, '20190226-1-b', 'failed')
    await state.create('20190228-1-d', ticking()).then((journal) => journal.close())
    mkdirSync(state.paths('20190228-2-e').folder)
    await withRun(state, '20190224-1-z', 'succeeded')
    appendFileSync(state.paths('20190224-1-z').journal, 'x\n')
    writeFileSync(join(state.root, 'runs', 'README'), 'not a run')
    expect((await state.runs()).map((one) => [one.run, one.status])).toEqual([
      ['20190228-1-d', 'empty'],
      ['20190227-1-c', 'running'],
      ['20190226-1-b', 'stopped'],
      ['20190225-1-a', 'finished'],
      ['20190224-1-z', 'damaged'],
    ])
    expect((await state.unfinished()).map((one) => one.run)).toEqual(['20190227-1-c', '20190226-1-b', '20190224-1-z'])
  })
})

describe('a new run id', () => {
  it('sorts by time, names the runbook, and ends in letters that are told apart', () => {
    expect(newRunId('data100', new Date('2019-02-25T12:40:03.999Z'), () => 0)).toBe('20190225-124003-data100-aaaa')
    expect(newRunId('data100', new Date('2019-02-25T12:40:03.999Z'), () => 0.999999)).toMatch(/-data100-9999$/)
  })

  it.each(['Data 100!', 'größe', '---', 'x'.repeat(300)])('is a name that a folder can have, for %j', (name) => {
    const id = newRunId(name, new Date(0), () => 0.5)
    expect(id).toMatch(/^[a-z0-9][a-z0-9-]*$/)
    expect(() => new StateFolder('/x').paths(id)).not.toThrow()
    expect(id.length).toBeLessThan(70)
  })
})

describe('the place for state', () => {
  it.each([
    [{ LIFEBOAT_STATE_DIR: '/own', XDG_STATE_HOME: '/xdg' }, '/own'],
    [{ LIFEBOAT_STATE_DIR: '', XDG_STATE_HOME: '/xdg' }, '/xdg/lifeboat'],
    [{ XDG_STATE_HOME: 'relative' }, '/home/ann/.local/state/lifeboat'],
    [{ XDG_STATE_HOME: '' }, '/home/ann/.local/state/lifeboat'],
    [{}, '/home/ann/.local/state/lifeboat'],
  ])('is, for %j, %s', (env, expected) => {
    expect(defaultStateDir(env, '/home/ann')).toBe(expected)
  })
})

describe('a run that was killed before its plan stood in the journal', () => {
  it('has changed nothing: it is not among those that could be resumed, and says so to whoever asks for it', async () => {
    const root = tempFolder()
    const state = new StateFolder(root)
    const journal = await state.create(run, ticking())
    await journal.append('run.started', started)
    await journal.close()
    expect(await state.runs()).toEqual([{ run, status: 'empty' }])
    expect(await state.unfinished()).toEqual([])
    for (const command of ['resume', 'undo', 'status']) {
      const { code, stderr } = await lifeboatHere([command, run, '--state-dir', root])
      expect([command, code, stderr]).toEqual([command, expect.any(Number), expect.stringMatching(/ended before its plan stood in the journal; it changed nothing/)])
      expect(code).not.toBe(0)
    }
  })
})
