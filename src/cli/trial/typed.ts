import { appendFileSync, statSync } from 'node:fs'
import { Readable, Writable } from 'node:stream'
import { localStore, type JournalRecord, type Store } from '../../journal/index.js'
import { loadSdks } from '../../platform/azure/load.js'
import { Output } from '../../render/output.js'
import { Disk } from '../../virtual/disk.js'
import type { Incarnation } from '../../virtual/incarnation.js'
import type { Scene, Seat } from '../../virtual/scene.js'
import { clockOfLife, letPass } from '../../virtual/time.js'
import { Interrupts } from '../interrupts.js'
import type { Program } from '../invocation.js'
import type { Surroundings } from '../surroundings.js'

/** Told of each record when it is synced. */
export type Noted = (record: JournalRecord) => void

export interface Typing {
  readonly scene: Scene
  readonly seat: Seat
  readonly program: Program
  readonly life: Incarnation
  readonly noted: Noted
  /** Whoever presses Ctrl-C; nobody, if absent. */
  readonly interrupts?: Interrupts
  /** Where the journal lies; there is room for all of it, if absent. */
  readonly disk?: Disk
  readonly beside?: Beside
}

/** Who answers what the command asks, and who hears its events (nobody, if absent); what the shell has beside the scene's variables. */
export interface Beside extends Pick<Surroundings, 'operator' | 'heard'> {
  readonly env?: Readonly<Record<string, string>>
}

/** What came of one command in a world within this process. */
export interface Lived {
  /** The exit code; `killed` if the program died on the way. */
  readonly code: number | 'killed'
  readonly stdout: string
  readonly stderr: string
}

/** Types a command, and lets the world's time pass until it has ended or died. */
export function typed(typing: Typing, argv: readonly string[]): Promise<Lived> {
  return letPass(typing.scene.clock, typedAside(typing, argv))
}

/**
 * Types a command somewhere in a scene; it goes on as somebody else lets time pass. The command is the program that people use, but for
 * main.ts.
 */
export async function typedAside(typing: Typing, argv: readonly string[]): Promise<Lived> {
  const { scene, seat, program, life, beside = {}, interrupts = new Interrupts() } = typing
  const process = seat.machine.begin(`lifeboat ${argv.join(' ')}`)
  const said = { stdout: '', stderr: '' }
  const output = new Output({ stdin: Readable.from([]), stdout: into(said, 'stdout'), stderr: into(said, 'stderr') })
  const { env, ...others } = beside
  const here = { ...surroundingsOf(typing, process), ...others }
  const ended = program(argv, { output, interrupts, env: { ...scene.env, ...env }, self: 'lifeboat', here })
  const killed = life.death.then(() => {
    process.kill()
    return 'killed' as const
  })
  const code = await Promise.race([ended, killed])
  if (code !== 'killed') process.kill()
  // Whatever it has left unfinished ends with the process.
  life.die()
  return { code, ...said }
}

/** Commands and SDKs are loaded when they are first needed; here before time passes. */
export async function loaded(): Promise<void> {
  await Promise.all([import('../run.js'), import('../resume.js'), import('../plan.js'), import('../undo.js'), loadSdks()])
}

function surroundingsOf(typing: Typing, process: ReturnType<Seat['machine']['begin']>): Surroundings {
  const { scene, seat, life } = typing
  const { machine } = seat
  return {
    clockOf: () => clockOfLife(scene.clock, () => life.isOver, () => machine.clockAheadMs),
    processes: machine.processesOf(process),
    survivors: (mark, clock) => machine.survivorsOf(mark, clock),
    openStore: async (path, options) => gated(await localStore(path, options), path, typing),
    random: scene.random,
    wires: seat.wires(life, process),
  }
}

/**
 * A journal that takes nothing more from a life that is over. What is appended is there at once: on a folder in memory there is nothing to
 * be synced, and a record that waits for the machine's disk costs more than all else that is done with it.
 */
function gated(store: Store, path: string, { life, noted, disk = new Disk() }: Typing): Store {
  const fileOf = (): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino
  const mine = fileOf()
  const write = async (part: Buffer | string): Promise<void> => {
    // Where another goes on with the run, the store itself says so. Half a line is no journal's to write.
    if (typeof part === 'string' && fileOf() !== mine) return store.append(part)
    appendFileSync(path, part)
  }
  return {
    ...store,
    truncate: (bytes) => life.through({ door: 'journal', what: 'truncate', writes: true }, () => store.truncate(bytes)),
    append: (lines) => {
      const records = recordsIn(lines)
      const what = records.map(({ type }) => type).join(' ')
      return life.through({ door: 'journal', what, writes: true, bytes: Buffer.byteLength(lines) }, async () => {
        await disk.append(lines, write, () => life.die())
        for (const record of records) noted(record)
      })
    },
  }
}

function recordsIn(lines: string): readonly JournalRecord[] {
  return lines.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as JournalRecord)
}

function into(said: { stdout: string; stderr: string }, stream: keyof typeof said): Writable {
  return new Writable({
    decodeStrings: false,
    write(text: string, _encoding, written) {
      said[stream] += text
      written()
    },
  })
}
