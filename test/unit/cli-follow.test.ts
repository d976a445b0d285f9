import { describe, expect, it } from 'vitest'
import type { PlannedStep } from '../../src/contract/index.js'
import { tellSilence } from '../../src/cli/follow.js'
import { StateFolder, type Holder, type RecordData, type RecordType } from '../../src/journal/index.js'
import { processes } from '../../src/platform/exec/processes.js'
import { temporaryFolder } from '../helpers/cli.js'
import { lifeboatHere } from '../helpers/cli-here.js'
import { owner, planned, run, started, ticking } from '../helpers/journal-samples.js'

type Entry = { readonly [T in RecordType]: readonly [T, RecordData[T]] }[RecordType]

const undo = '20190226-000000-data100-undo'
const step = (id: string): PlannedStep => ({ id, uses: 'exec', needs: [], state: 'absent', changes: [], irreversible: {}, estimateMs: 0, startMs: 0 })
const first: readonly Entry[] = [
  ['run.started', started],
  ['run.planned', { ...planned, steps: [step('rack'), step('hub')] }],
  ['step.started', { step: 'rack', uses: 'exec', attempt: 1 }],
]
const ended: Entry = ['run.finished', { outcome: 'interrupted', elapsedMs: 1000, wallMs: 1000 }]
const resumed: Entry = ['run.resumed', { owner, realStartedAt: started.realStartedAt, acceptedChanges: false }]
const asked: Entry = ['question.asked', { step: 'rack', question: { kind: 'gate', step: 'rack', text: 'Cut it?' } }]

/** What a second terminal is told of a run with these records, whose process is gone. */
async function followed(entries: readonly Entry[], also: Readonly<Record<string, readonly Entry[]>> | '--json' = {}) {
  const stateDir = temporaryFolder()
  const [others, options] = also === '--json' ? [{}, [also]] : [also, []]
  for (const [id, all] of Object.entries({ [run]: entries, ...others })) {
    const journal = await new StateFolder(stateDir).create(id, ticking())
    for (const [type, data] of all) await journal.append(type, data)
    await journal.close()
  }
  const { code, stdout, stderr } = await lifeboatHere(['status', run, '--follow', '--state-dir', stateDir, ...options])
  return { code, said: stdout + stderr }
}

describe('one who follows a run', () => {
  it('is shown the life that is at work, and not how an earlier one ended', async () => {
    const { code, said } = await followed([...first, ended, resumed, ['step.started', { step: 'rack', uses: 'exec', attempt: 2 }]])
    expect(code).toBe(0)
    expect(said).toContain(`failover, resumed, run ${run}`)
    expect(said).not.toContain('was interrupted')
    expect(said).toContain('The process of this run is gone.')
  })

  it('is shown the end of the last life', async () => {
    const { said } = await followed([...first, ended, resumed, ['run.finished', { outcome: 'failed', elapsedMs: 5000, wallMs: 5000 }]])
    expect(said).toMatch(/resumed, [^]*data100 failed after 5s/)
    expect(said).not.toContain('was interrupted')
  })

  it('is told the question that stands, and no answered one', async () => {
    const answered: Entry = ['question.answered', { step: 'rack', kind: 'gate', answer: { choice: 'go', by: 'ada' } }]
    const other: Entry = ['question.asked', { step: 'hub', question: { kind: 'gate', step: 'hub', text: 'Go on?' } }]
    const { said } = await followed([...first, asked, answered, other])
    expect(said).toContain('hub   asks its operator: Go on?')
    expect(said).not.toContain('Cut it?')
    expect((await followed([...first, asked, resumed])).said).not.toContain('Cut it?')
  })

  it('is told once that nothing is heard of its process, and once that it is heard of again', async () => {
    const self = await processes.self()
    const holder = (silentMs: number): Holder => ({ life: 'alive', owner: { ...self, run }, silentMs })
    const told: string[] = []
    let isSilent = false
    for (const seen of [holder(1_000), holder(16_000), holder(50_000), holder(1_000), holder(2_000)]) {
      isSilent = tellSilence(seen, isSilent, { note: (level, message) => told.push(`${level}: ${message}`) })
    }
    expect(told).toEqual([
      `warn: Nothing is heard of the process of this run (pid ${self.pid}): it is suspended or stuck, and nobody can say when it is done.`,
      `info: The process of this run (pid ${self.pid}) is heard of again.`,
    ])
  })

  it('is advised to go on with nothing that is put back, or whose world has ended', async () => {
    const [, ...since] = first
    const failed: Entry = ['run.finished', { outcome: 'failed', elapsedMs: 1000, wallMs: 1000 }]
    const lost: Entry = ['run.started', { ...started, mode: 'rehearsal', sim: { pid: process.pid, started: 'another boot/1', control: 'https://127.0.0.1:9/' } }]
    const back = (...ends: readonly Entry[]): readonly Entry[] => [['run.started', { ...started, undoes: run }], ['run.planned', planned], ...ends]
    const done: Entry = ['run.finished', { outcome: 'succeeded', elapsedMs: 1000, wallMs: 1000 }]
    const undoing: Entry = ['run.undoing', { by: undo }]
    for (const end of [[failed], []]) {
      expect((await followed([...first, ...end])).said).toContain(`lifeboat resume ${run} `)
      expect((await followed([lost, ...since, ...end])).said).not.toContain('lifeboat resume')
      expect((await followed([lost, ...since, ...end], '--json')).said).not.toContain('lifeboat resume')
      expect((await followed([...first, ...end, undoing], { [undo]: back(done) })).said).not.toContain('lifeboat resume')
      const halfWay = (await followed([...first, ...end, undoing], { [undo]: back() })).said
      expect(halfWay).toContain(`lifeboat resume ${undo} `)
      expect(halfWay).not.toContain(`lifeboat resume ${run} `)
    }
  })

  it('has questions in a stream of data as the run tells them', async () => {
    const { said } = await followed([...first, asked], '--json')
    expect(said).toMatch(/"type":"question.asked"[^\n]*"text":"Cut it\?"/)
  })
})
