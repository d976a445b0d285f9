import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse, stringify } from 'yaml'
import type * as Duration from '../../../src/contract/inputs.js'
import type { RunEvent } from '../../../src/contract/index.js'
import { data100, lifeboat, root, temporaryFolder } from '../../helpers/cli.js'
import { seeded } from '../../../src/virtual/chance.js'
import { built } from '../built.js'
import { recordings, type Recording } from './recording.js'

/**
 * `tsx test/bench/eta/record.ts [FIRST [LAST]]`: rehearses data100 by the real CLI, with the real programs, once for each seed, and
 * keeps what the expected end is worked out from. Each seed has a world of its own, in which everything takes a time of its own: a
 * forecast that met the same durations each time would be flattered. About a minute and a half a seed.
 */
const { durationMs } = await built<typeof Duration>('contract/inputs.js')
const worlds = join(root, 'fixtures/worlds')
const speed = 30

/** How far the durations of one kind of work lie apart (standard deviation of their logarithm), and whole days from each other. */
const spread = { kind: 0.2, day: 0.07 } as const

const [first = 1, last = 10] = process.argv.slice(2).map(Number)
mkdirSync(recordings, { recursive: true })
for (let seed = first; seed <= last; seed += 1) {
  const { code, stderr, events } = await rehearsed(worldOf(seed))
  if (code !== 0) throw new Error(`the rehearsal with seed ${seed} ended with ${String(code)}: ${stderr}`)
  writeFileSync(join(recordings, `data100-${seed}.json`), `${JSON.stringify(recordingOf(seed, events))}\n`)
  process.stderr.write(`recorded seed ${seed}\n`)
}

/** Normally distributed, mean 0 and deviation 1 (Box and Muller, 1958). */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** Path of data100's world on another day. */
function worldOf(seed: number): string {
  const random = seeded(seed)
  const day = Math.exp(spread.day * normal(random))
  const world = parse(readFileSync(join(worlds, 'data100.yaml'), 'utf8').replaceAll('../', `${resolve(worlds, '..')}/`)) as World
  const other = (times: Times): Times =>
    Object.fromEntries(
      Object.entries(times).map(([what, usual]) => {
        const drawn = durationMs.parse(usual) * day * Math.exp(spread.kind * normal(random))
        return [what, `${Math.max(1, Math.round(drawn / 1000))}s`]
      }),
    )
  const path = join(temporaryFolder(), 'world.yaml')
  writeFileSync(path, stringify({ ...world, durations: other(world.durations), podsReady: other(world.podsReady) }))
  return path
}

type Times = Readonly<Record<string, string>>
interface World {
  readonly durations: Times
  readonly podsReady: Times
}

async function rehearsed(world: string): Promise<{ code: number | null; stderr: string; events: readonly RunEvent[] }> {
  const cli = lifeboat(['rehearse', data100, '--world', world, '--speed', String(speed), '--yes', '--json', '--state-dir', temporaryFolder()])
  const { code, stderr } = await cli.ended
  return { code, stderr, events: cli.events }
}

function recordingOf(seed: number, events: readonly RunEvent[]): Recording {
  const began = events.find((event) => event.type === 'run.started')
  const planned = events.find((event) => event.type === 'run.planned')
  const finished = events.findLast((event) => event.type === 'run.finished')
  if (began === undefined || planned === undefined || finished === undefined) throw new Error('this rehearsal has no beginning or no end')
  const at = (t: string): number => Date.parse(t) - Date.parse(began.t)
  const steps = planned.steps.map(({ id, uses, needs, changes, estimateMs }) => {
    const own = events.filter((event) => 'step' in event && event.step === id)
    const start = own.find(({ type }) => type === 'step.started')
    const end = own.findLast(({ type }) => type === 'step.verified' || type === 'question.answered')
    const verified = own.findLast((event) => event.type === 'step.verified')
    if (end === undefined) throw new Error(`${id} has no end`)
    return {
      ...{ id, uses, needs, estimateMs, changes: changes.length },
      startedMs: at((start ?? end).t),
      endedMs: at(end.t),
      elapsedMs: verified?.elapsedMs ?? 0,
    }
  })
  return { seed, speed, totalMs: at(finished.t), steps }
}
