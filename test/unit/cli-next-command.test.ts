import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { leavingLines } from '../../src/cli/in-flight.js'
import { leave } from '../../src/cli/rehearse.js'
import type { Screen } from '../../src/cli/screen.js'
import { commandLine } from '../../src/cli/state.js'
import { fold, StateFolder, type RecordData, type RecordType } from '../../src/journal/index.js'
import { temporaryFolder } from '../helpers/cli.js'
import { lifeboatHere } from '../helpers/cli-here.js'
import { planned, Records, run, started, ticking } from '../helpers/journal-samples.js'

type Entry = { readonly [T in RecordType]: readonly [T, RecordData[T]] }[RecordType]

const failed: readonly Entry[] = [
  ['run.started', started],
  ['run.planned', planned],
  ['run.finished', { outcome: 'failed', elapsedMs: 1, wallMs: 1 }],
]

const declined: readonly Entry[] = [['run.finished', { outcome: 'declined', elapsedMs: 1, wallMs: 1 }]]

/** A state folder, in whose path there is a blank, with these runs. */
async function stateWith(runs: Readonly<Record<string, readonly Entry[]>>): Promise<string> {
  const stateDir = join(temporaryFolder(), 'my runs')
  for (const [id, entries] of Object.entries(runs)) {
    const journal = await new StateFolder(stateDir).create(id, ticking())
    for (const [type, data] of entries) await journal.append(type, data)
    await journal.close()
  }
  return stateDir
}

describe('a command that is printed to be copied', () => {
  it('has the state folder that was given, as a shell takes it', () => {
    expect(commandLine({}, 'resume', 'r1')).toBe('lifeboat resume r1')
    expect(commandLine({ stateDir: '/var/runs' }, 'resume', 'r1')).toBe('lifeboat resume r1 --state-dir /var/runs')
    expect(commandLine({ stateDir: "it's" }, 'runs')).toBe("lifeboat runs --state-dir 'it'\\''s'")
  })

  it.each([['status'], ['status', '--json'], ['status', '--follow']])('goes on from %s %s', async (...args) => {
    const stateDir = await stateWith({ [run]: failed })
    const { code, stdout, stderr } = await lifeboatHere([...args, '--state-dir', stateDir])
    expect(code, stderr).toBe(0)
    expect(stdout + stderr).toContain(`lifeboat resume ${run} --state-dir '${stateDir}'`)
  })

  it.each([[[]], [['--json']], [['--follow']], [['--follow', '--quiet']], [['--follow', '--json']]])(
    'puts back, too, what somebody has declined to go on with: status %j',
    async (args) => {
      const told = async (id: string, entries: readonly Entry[], ended: readonly Entry[] = declined): Promise<boolean> => {
        const undo = '20190226-000000-data100-undo'
        const stateDir = await stateWith({ [id]: [...entries, ...ended], [undo]: [['run.started', { ...started, undoes: run }], ['run.planned', planned]] })
        const { stdout, stderr } = await lifeboatHere(['status', id, ...args, '--state-dir', stateDir])
        expect(stdout + stderr).toContain('lifeboat resume')
        return (stdout + stderr).includes(`lifeboat undo ${id} --state-dir '${stateDir}'`)
      }
      const changed: readonly Entry[] = [['run.started', started], ['run.planned', planned], ['step.intent', { step: 'ttl', changes: [{ resource: 'ttl', action: 'update' }] }]]
      expect(await told(run, changed)).toBe(true)
      // Nothing was changed; it failed; its undo has begun; it is a way back itself.
      expect(await told(run, changed.slice(0, 2))).toBe(false)
      expect(await told(run, changed, failed.slice(-1))).toBe(false)
      expect(await told(run, changed, [...declined, ['run.undoing', { by: '20190226-000000-data100-undo' }]])).toBe(false)
      expect(await told(run, [['run.started', { ...started, undoes: 'r0' }], ...changed.slice(1)])).toBe(false)
    },
  )

  it.each([
    ['status', ['nosuch'], 'lifeboat runs'],
    ['undo', [run], 'lifeboat resume 20190226-000000-data100-undo'],
    ['resume', [run], 'lifeboat resume 20190226-000000-data100-undo'],
    ['undo', ['20190226-000000-data100-undo'], 'lifeboat run /runbooks/data100.yaml'],
  ])('is the mend of what %s refuses: %j', async (command, args, mend) => {
    const undo = '20190226-000000-data100-undo'
    const stateDir = await stateWith({ [run]: [...failed, ['run.undoing', { by: undo }]], [undo]: [['run.started', { ...started, undoes: run }], ['run.planned', planned]] })
    const { stderr } = await lifeboatHere([command, ...args, '--state-dir', stateDir])
    expect(stderr).toContain(`${mend} --state-dir '${stateDir}'`)
  })

  it.each([['status'], ['runs'], ['resume'], ['undo'], ['report', '--fidelity']])('is there where there are no runs yet: %s %s', async (...args) => {
    const { stdout, stderr } = await lifeboatHere([...args, '--state-dir', 'no runs'])
    expect(stdout + stderr).toMatch(/lifeboat (rehearse RUNBOOK|runs) --state-dir 'no runs'/)
  })

  it('is what the world of a rehearsal goes on for', async () => {
    const said: string[] = []
    const screen = { notice: (text: string) => said.push(text) } as unknown as Screen
    // A failure, a gate that was declined, Ctrl-C: each can be resumed.
    for (const code of [1, 3, 130]) {
      expect(await leave({ control: undefined as never, sim: { pid: 7 } as never }, screen, code, 'lifeboat resume r1 --state-dir s')).toBe(code)
      expect(said.splice(0)).toEqual(['The world goes on (pid 7) for: lifeboat resume r1 --state-dir s'])
    }
  })
})

describe('a name that no run has', () => {
  it('is held against the names of runbooks too', async () => {
    const stateDir = await stateWith({ [run]: failed })
    const { code, stderr } = await lifeboatHere(['status', 'data10', '--state-dir', stateDir])
    expect([code, stderr]).toEqual([2, expect.stringContaining(`Did you mean ${run}?`)])
    const { stderr: swapped } = await lifeboatHere(['status', 'dataa100', '--state-dir', stateDir])
    expect(swapped).toContain(`Did you mean ${run}?`)
  })
})

describe('whoever ends at once', () => {
  const change = { resource: 'a', action: 'run' } as const
  const places = { host: 'here', resumeCommand: 'lifeboat resume r1', log: '/log' }

  it('is told what is in flight, how to go on, and where the log is', () => {
    const records = new Records()
      .add('run.started', started)
      .add('step.started', { step: 'hub', uses: 'exec', attempt: 1 })
      .add('step.intent', { step: 'hub', changes: [change] })
    expect(leavingLines(fold(records.list), places)).toEqual([
      'Ended at once. Still in flight on here or in the cloud: hub',
      'To go on: lifeboat resume r1',
      'Log of this run: /log',
    ])
  })

  it('is not told how to go on with a run that is done', () => {
    const lines = (outcome: 'succeeded' | 'failed'): readonly string[] =>
      leavingLines(fold(new Records().add('run.started', started).add('run.finished', { outcome, elapsedMs: 1, wallMs: 1 }).list), places)
    expect(lines('succeeded')).toEqual(['Ended at once; nothing was in flight.', 'Log of this run: /log'])
    expect(lines('failed')).toContain('To go on: lifeboat resume r1')
  })

  it('is not told of a step that has failed and waits for an answer', () => {
    const error = { code: 'exec.failed', message: 'no', blame: 'user', retryable: false } as const
    const records = new Records()
      .add('run.started', started)
      .add('step.started', { step: 'hub', uses: 'exec', attempt: 1 })
      .add('step.intent', { step: 'hub', changes: [change] })
      .add('step.failed', { step: 'hub', error, elapsedMs: 1 })
    expect(leavingLines(fold(records.list), places)[0]).toBe('Ended at once; nothing was in flight.')
  })
})

describe('a state folder that cannot be', () => {
  // Linux says ENOENT of whatever is to be made there, however often one asks.
  it.skipIf(!existsSync('/proc/self'))('is told before anything is read or locked, and is not tried for ever', async () => {
    for (const args of [['run', 'runbooks/minimal.yaml', '--confirm=minimal', '--yes'], ['rehearse', 'runbooks/minimal.yaml'], ['sim', '--world', 'fixtures/worlds/data100.yaml']]) {
      const { code, stdout, stderr } = await lifeboatHere(args, { LIFEBOAT_STATE_DIR: '/proc/no-such/folder' })
      expect([code, stdout]).toEqual([4, ''])
      expect(stderr).toMatch(/the state folder \/proc\/no-such\/folder cannot be made or written to \(ENOENT\)[^]*--state-dir/)
    }
  })

  it('is told where a file stands in its place', async () => {
    const { code, stderr } = await lifeboatHere(['run', 'runbooks/minimal.yaml', '--confirm=minimal', '--yes', '--state-dir', 'package.json'])
    expect([code, stderr]).toEqual([4, expect.stringMatching(/package\.json cannot be made or written to \(EEXIST\)/)])
  })
})
