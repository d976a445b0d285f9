import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { RunLock, StateFolder, type Owner, type RecordData, type RecordType } from '../../src/journal/index.js'
import { processes } from '../../src/platform/exec/processes.js'
import type { StatusInput } from '../../src/render/index.js'
import { temporaryFolder } from '../helpers/cli.js'
import { lifeboatHere } from '../helpers/cli-here.js'
import { owner, planned, run, started } from '../helpers/journal-samples.js'

type Entry = { readonly [T in RecordType]: readonly [T, RecordData[T]] }[RecordType]

const self = await processes.self()
const work: readonly Entry[] = [
  ['run.planned', planned],
  ['step.started', { step: 'rack', uses: 'exec', attempt: 1 }],
]

interface Left {
  /** Whom the journal names. */
  readonly journaled?: Owner
  /** Whom the lock names. */
  readonly holder?: Owner
  readonly entries?: readonly Entry[]
  /** How long ago the holder of the lock was heard of, in milliseconds. */
  readonly silentMs?: number
  readonly objectiveMs?: number
  /** It was told to stop, by this signal. */
  readonly stopping?: string
}

async function status(left: Left, ...options: readonly string[]): Promise<string> {
  const { journaled = owner, holder, entries = [], silentMs = 0, objectiveMs, stopping } = left
  const stateDir = temporaryFolder()
  const folder = new StateFolder(stateDir)
  const journal = await folder.create(run, () => new Date())
  const objective = objectiveMs === undefined ? {} : { objectiveMs }
  for (const [type, data] of [['run.started', { ...started, owner: journaled, ...objective }] as const, ...work, ...entries]) await journal.append(type, data)
  await journal.close()
  const { log } = folder.paths(run)
  mkdirSync(dirname(log), { recursive: true })
  const progress = { type: 'step.progress', t: new Date().toISOString(), run, step: 'rack', message: 'waits for the rack', elapsedMs: 0 }
  const finishAt = new Date(Date.now() + 600_000).toISOString()
  const finish = { type: 'eta.updated', t: progress.t, run, remainingMs: 600_000, atLeastMs: 0, finishAt }
  const stop = stopping === undefined ? [] : [{ type: 'run.stopping', t: progress.t, run, signal: stopping }]
  writeFileSync(log, [progress, finish, ...stop].map((told) => `${JSON.stringify({ kind: 'event', event: told })}\n`).join(''))
  const { resourceManager, subscription } = started.cloud
  const key = { runbook: 'data100', resourceManager, subscription }
  if (holder !== undefined) await RunLock.acquire(folder.locks, key, { ...holder, run }, processes, () => new Date(Date.now() - silentMs))
  return (await lifeboatHere(['status', '--state-dir', stateDir, ...options])).stdout
}

describe('runs, where there is none to list', () => {
  const listed = (stateDir: string): ReturnType<typeof lifeboatHere> => lifeboatHere(['runs', '--state-dir', stateDir])

  it('says how to begin where none has begun', async () => {
    const stateDir = temporaryFolder()
    await (await new StateFolder(stateDir).create(run, () => new Date())).close()
    for (const where of [stateDir, temporaryFolder()]) expect((await listed(where)).stdout).toContain('No runs yet. Start with: lifeboat rehearse')
  })

  it('names those that are damaged, and says nothing of there being none', async () => {
    const stateDir = temporaryFolder()
    const { journal } = new StateFolder(stateDir).paths(run)
    mkdirSync(dirname(journal), { recursive: true })
    writeFileSync(journal, 'hello\n')
    expect(await listed(stateDir)).toMatchObject({ stdout: '', stderr: expect.stringContaining(`${run}: its journal is damaged`) as unknown })
  })
})

describe('status, for a person who takes over', () => {
  it('advises nothing for a run that has been put back', async () => {
    const stateDir = temporaryFolder()
    const undo = '20190226-000000-data100-undo'
    const done: Entry = ['run.finished', { outcome: 'succeeded', elapsedMs: 1, wallMs: 1 }]
    const runs = { [run]: [['run.started', started], ...work, ['run.undoing', { by: undo }]], [undo]: [['run.started', { ...started, undoes: run }], work[0]!, done] }
    for (const [id, entries] of Object.entries(runs) as [string, readonly Entry[]][]) {
      const journal = await new StateFolder(stateDir).create(id, () => new Date())
      for (const [type, data] of entries) await journal.append(type, data)
      await journal.close()
    }
    const { stdout } = await lifeboatHere(['status', run, '--state-dir', stateDir])
    expect(stdout).toContain(`put back by ${undo}`)
    expect(stdout).not.toContain('lifeboat resume')
  })

  it('says what a step at work waits for', async () => {
    expect(await status({ holder: self })).toMatch(/now +rack \d+s: waits for the rack\n/)
  })

  it('says that it stops, and promises no end, once it was told to', async () => {
    const [going, stopping] = [await status({ holder: self }), await status({ holder: self, stopping: 'SIGHUP' })]
    expect([going, stopping].map((said) => [said.includes('to go'), said.includes('stopping: what is under way comes to a safe point')])).toEqual([[true, false], [false, true]])
  })

  it('names who holds the lock, whoever has begun it', async () => {
    const elsewhere = { user: 'bea', host: 'another-host', pid: 55, started: 'then' }
    expect(await status({ journaled: self, holder: elsewhere })).toContain('owner   bea on another-host, pid 55\n')
    expect(JSON.parse(await status({ holder: elsewhere }, '--json'))).toMatchObject({ owner: { user: 'bea', pid: 55, life: 'alive' } })
  })

  it('says that a process is gone, wherever that can be known', async () => {
    const dead = { ...self, started: 'another boot/1' }
    expect(await status({ holder: dead })).toContain(`pid ${self.pid}; that process is gone`)
    expect(await status({ journaled: dead })).toContain(`pid ${self.pid}; that process is gone`)
    expect(await status({ journaled: owner })).toContain('owner   ann on laptop, pid 4242; it holds the lock of this run no more')
  })

  it('says of an owner of this host that lives and beats no more that it is suspended or stuck, and promises no end', async () => {
    expect(await status({ holder: self, silentMs: 9_000 })).toMatch(/ to go[^]*owner .* pid \d+\n/)
    const stuck = await status({ holder: self, silentMs: 50_000 })
    expect(stuck).toMatch(/owner .* pid \d+; silent for 5\ds: its process is suspended or stuck\n/)
    expect(stuck).not.toContain('to go')
    const told: unknown = JSON.parse(await status({ holder: self, silentMs: 50_000 }, '--json'))
    expect(told).toMatchObject({ condition: 'running', owner: { life: 'silent' } })
    expect(told).not.toHaveProperty('finishAt')
    // Of another host's clock nothing can be said so soon.
    expect(await status({ holder: { ...self, host: 'another-host' }, silentMs: 50_000 })).toContain(' to go')
  })

  it('counts on the time since the start of one that is to be gone on with, where there is an objective', async () => {
    const spent = async (...given: Parameters<typeof status>): Promise<unknown> => {
      return (JSON.parse(await status(...given)) as StatusInput).byNowMs
    }
    expect(await spent({ objectiveMs: 600_000 }, '--json')).toEqual(expect.any(Number))
    expect(await spent({}, '--json')).toBeUndefined()
    expect(await spent({ objectiveMs: 600_000, holder: self }, '--json')).toBeUndefined()
    expect(await spent({ objectiveMs: 600_000, entries: [['run.finished', { outcome: 'succeeded', elapsedMs: 1, wallMs: 1 }]] }, '--json')).toBeUndefined()
  })

  it('counts as time at an open step what the lives of a run were at it', async () => {
    const stateDir = temporaryFolder()
    let minutes = 0
    const journal = await new StateFolder(stateDir).create(run, () => new Date(Date.UTC(2019, 1, 25, 12, minutes)))
    const at = async (minute: number, ...[type, data]: Entry): Promise<void> => {
      minutes = minute
      await journal.append(type, data)
    }
    const begins = (attempt: number): Entry => ['step.started', { step: 'rack', uses: 'exec', attempt }]
    await at(0, 'run.started', started)
    await at(0, 'run.planned', planned)
    await at(1, ...begins(1))
    await at(3, 'run.interrupted', { signal: 'SIGINT' })
    await at(60, 'run.resumed', { owner, realStartedAt: started.realStartedAt, acceptedChanges: false })
    await at(61, ...begins(2))
    await at(65, 'step.intent', { step: 'rack', changes: [] })
    await journal.close()
    const { stdout } = await lifeboatHere(['status', '--state-dir', stateDir, '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ elapsedMs: 65 * 60_000, running: [{ id: 'rack', elapsedMs: (2 + 4) * 60_000 }] })
  })

  it('says what goes on without it: of its children those that live, and those of a host that nobody can look at from here', async () => {
    const child = { pid: self.pid, started: self.started, host: self.host, command: 'helm', survivor: 'await' } as const
    const begun = (pid: number, facts: Partial<typeof child> | { readonly host: string }): Entry => ['child.started', { step: 'rack', child: { ...child, ...facts, pid } }]
    const said = await status({ entries: [begun(self.pid, {}), begun(1_999_999_999, {}), begun(7, { host: 'another-host' })] })
    expect(said).toContain(`open    rack (pid ${self.pid} on ${self.host} is still at work, pid 7 on another-host may be still at work)`)
  })
})
