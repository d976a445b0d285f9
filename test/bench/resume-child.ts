// Resumes a run from a long journal up to the first look of a step: prints what it took. Argument: how many records.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { JournalRecord, RecordData, RecordType } from '../../src/journal/index.js'
import { temporaryFolder } from '../helpers/cli.js'
import { clock, engine, journals, looks, parsed, plainRenderer, planPorts, runbookText, runPorts, started } from './generated.js'
import { median } from './result.js'

export interface ResumeRun {
  readonly records: number
  readonly bytes: number
  /** From the file to the first look. */
  readonly resumeMs: number
  /** Time of the processor in it: on a busy machine the better measure of ours. */
  readonly cpuMs: number
  readonly peakBytes: number
  /** Of the same file: read, taken apart, its checksums proved, and nothing else. */
  readonly plainMs: number
}

const steps = 2_000
const runbook = parsed(runbookText(steps))

/** A run that tried its steps again and again: `records` of them, in the course of which no step was done. */
async function journalText(run: string, records: number): Promise<string> {
  const lines: string[] = []
  const add = <T extends RecordType>(type: T, data: RecordData[T]): void => {
    const record = { v: 1, seq: lines.length + 1, t: started.realStartedAt, run, type, data } as JournalRecord
    lines.push(journals.encode(record))
  }
  const plan = await engine.planRun(planPorts(runbook))
  add('run.started', started)
  add('run.planned', { ...plan.facts, steps: plan.steps })
  const error = { code: 'azure.conflict', message: 'another operation is under way', blame: 'cloud', retryable: true } as const
  for (let turn = 0; lines.length < records; turn += 1) {
    const step = `s${turn % steps}`
    const change = { resource: step, action: 'create', after: { name: step } } as const
    const child = { pid: turn, started: String(turn), host: 'bench', command: 'helm upgrade', survivor: 'await' } as const
    add('step.started', { step, uses: 'bench/noop', attempt: 1 })
    add('step.intent', { step, changes: [change] })
    add('child.started', { step, child })
    add('step.checkpoint', { step, what: { accepted: turn } })
    add('child.ended', { step, pid: turn, exitCode: 1, signal: null })
    add('step.retrying', { step, attempt: 1, inMs: 1000, error })
    add('step.verified', { step, outputs: { name: 'x' }, changes: 1, elapsedMs: 1000 })
  }
  return lines.slice(0, records).join('')
}

async function perform(records: number): Promise<ResumeRun> {
  const run = 'bench-1'
  const folder = new journals.StateFolder(temporaryFolder())
  const { journal: path } = folder.paths(run)
  mkdirSync(dirname(path), { recursive: true })
  const text = await journalText(run, records)
  writeFileSync(path, text)
  const bytes = Buffer.byteLength(text)

  const atStart = performance.now()
  const cpuAtStart = process.cpuUsage()
  // As `lifeboat resume` does it: read to see what there is, then opened under the lock to go on.
  const before = await folder.read(run)
  journals.fold(before.records)
  const renderer = plainRenderer(before.records.flatMap((record) => engine.narrate(record) ?? []))
  const { journal } = await folder.open(run, () => clock.now())
  const stop = new AbortController()
  const looked = new Promise<number>((resolve) => {
    looks.each = () => {
      resolve(performance.now() - atStart)
      stop.abort()
    }
  })
  const owner = started.owner
  const ended = engine.resumeRun(runPorts(planPorts(runbook, stop.signal), journal, renderer), {
    owner,
    realStartedAt: started.realStartedAt,
    acceptedChanges: false,
  })
  const resumeMs = await looked
  const { user, system } = process.cpuUsage(cpuAtStart)
  await ended
  renderer.close()
  await journal.close()
  const peakBytes = process.resourceUsage().maxRSS * 1024
  return { records, bytes, resumeMs, cpuMs: (user + system) / 1000, peakBytes, plainMs: median([1, 2, 3].map(() => plainMs(text))) }
}

/** What no reader of such a file gets around, by the shortest code: the yardstick of this machine. */
function plainMs(text: string): number {
  const path = join(temporaryFolder(), 'journal.ndjson')
  writeFileSync(path, text)
  const began = performance.now()
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (line === '') continue
    const { crc } = JSON.parse(line) as { crc: string }
    const body = `${line.slice(0, line.length - sealLength)}}`
    if (crc32(body).toString(16).padStart(8, '0') !== crc) throw new Error('the journal is damaged')
  }
  return performance.now() - began
}

const sealLength = ',"crc":"00000000"}'.length

process.stdout.write(JSON.stringify(await perform(Number(process.argv[2]))))
