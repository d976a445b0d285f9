import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../src/contract/index.js'
import { loadCloud } from '../../src/platform/cloud/load.js'
import type { Cloud } from '../../src/platform/cloud/schema.js'
import type { Exec } from '../../src/platform/exec/exec.js'
import type { ChildLog } from '../../src/platform/scope.js'
import { makeAuthority } from '../../src/sim/pki.js'
import { openWithin, type WorldWithin } from '../../src/sim/within.js'
import { virtualClock, type VirtualClock } from '../../src/sim/world/clock.js'
import { readWorldSpec } from '../../src/sim/world/load.js'
import { openVirtualExec } from '../../src/virtual/exec.js'
import type { Gate } from '../../src/virtual/gate.js'
import { Machine, type Life } from '../../src/virtual/machine.js'
import type { Program } from '../../src/virtual/programs/program.js'
import { clockOfLife, letPass } from '../../src/virtual/time.js'
import { noTrouble, type Trouble } from '../../src/virtual/trouble.js'
import { holder } from './leaks.js'
import { data100World } from './world.js'

interface BesideExec {
  readonly gate?: Gate
  readonly trouble?: Trouble
}

/** A world of data100 in this process, and a machine in front of it. */
export interface Within extends Disposable {
  readonly within: WorldWithin
  readonly cloud: Cloud
  readonly time: VirtualClock
  /** The clock of the life; stands still for it once that is killed. */
  readonly clock: Clock
  readonly machine: Machine
  readonly life: Life
  /** Models of programs, as a door starts them. */
  execWith(programs: Readonly<Record<string, Program>>, children: ChildLog, beside?: BesideExec): {
    readonly exec: Exec
    readonly secrets: string
  }
  readonly settled: <T>(work: Promise<T>) => Promise<T>
  readonly until: (holds: () => boolean) => Promise<void>
}

const authority = makeAuthority('within', Date.now())

export async function openData100(): Promise<Within> {
  const spec = structuredClone(await readWorldSpec(data100World))
  const folder = mkdtempSync(join(tmpdir(), 'lifeboat-within-'))
  const time = virtualClock(Date.parse(spec.epoch))
  const within = await openWithin({ spec, clock: time, authority, folder: join(folder, 'world') })
  const cloud = await loadCloud(within.cloudPath)
  return { within, cloud, ...machineOn(time, folder), [Symbol.dispose]: () => rmSync(folder, { recursive: true }) }
}

/** A machine on which models run, in a time that passes when everybody waits. */
export function machineOn(time: VirtualClock, folder: string): Omit<Within, 'within' | 'cloud' | typeof Symbol.dispose> {
  let isOver = false
  const clock = clockOfLife(time, () => isOver)
  const machine = new Machine(time)
  const begun = machine.begin()
  const life = {
    ...begun,
    kill: () => {
      isOver = true
      begun.kill()
    },
  }
  const ownGate: Gate = {
    through: async (_call, send) => {
      const answer = await send()
      return isOver ? new Promise(() => undefined) : answer
    },
  }
  let opened = 0
  return {
    time,
    clock,
    machine,
    life,
    execWith(programs, children, { gate = ownGate, trouble = noTrouble } = {}) {
      // Stands for the private folder of a run.
      const secrets = holder(join(folder, `secrets-${(opened += 1)}`))
      mkdirSync(secrets, { mode: 0o700 })
      const exec = openVirtualExec({ machine, life, gate, programs, trouble })({ clock, children, site: 'test', path: process.env['PATH'] ?? '', secrets })
      return { exec, secrets }
    },
    settled: (work) => letPass(time, work),
    until: (holds) => letPass(time, untilIt(time, holds)),
  }
}

/** Looks at every tenth of a second. */
async function untilIt(time: VirtualClock, holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise<void>((resolve) => void time.schedule(100, resolve))
}
