import { readFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { dirname, resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { parse } from 'yaml'
import { data100 } from '../../helpers/cli.js'
import { inChild } from '../child.js'
import { atLeast, atMost, type Benchmark } from '../result.js'
import { totalOf, type Part, type Spent } from './account.js'
import { outageMs, rehearsed } from './rehearsal.js'
import { endOf } from './same.js'
import type { SequenceRun } from './sequence.js'
import { leftIn, servedWorld } from './world.js'

const speed = 20
const second = 1000
const minute = 60 * second

/**
 * The whole failover of data100 in its world: what Lifeboat and the real programs add to the world's own durations, and how
 * much faster it is than the same steps one after the other.
 */
export const failover: Benchmark = {
  name: 'failover',
  async measure(say) {
    const rehearsal = await rehearsed(data100, speed)
    const { wallMs, criticalPathMs, parts, events } = rehearsal
    say(`rehearsed at speed ${speed}: ${seconds(wallMs)} s of wall clock, of which the critical path of the world's own durations is ${seconds(criticalPathMs)} s`)
    say(`the load of this machine was ${loadavg().map((load) => load.toFixed(1)).join(', ')} on ${cpus().length} processors: above that, it is in what is added`)
    say('where the time went, in real seconds, along the steps that decided it:')
    for (const line of table(parts)) say(line)
    const { world: _, ...ours } = totalOf(parts)
    const added = (wallMs - criticalPathMs) / second
    const sequence = await inSequence(endOf(rehearsal.world.state))
    say(`the same steps in sequence: ${seconds(sequence)} s, with the same end`)
    return [
      { ...atMost('failover.added', added, 15, `s at speed ${speed}`), parts: inSeconds(ours) },
      atMost('failover.outage', outageMs(events) / minute, 10, 'min of the world from fence to exports'),
      atLeast('failover.speed-up', sequence / wallMs, 1, 'x against sequence'),
    ]
  },
}

/** Real milliseconds of the same work without engine. Throws unless the world ends the same. */
async function inSequence(wanted: unknown): Promise<number> {
  const { rehearsal } = parse(readFileSync(data100, 'utf8')) as { rehearsal: { world: string } }
  const began = Date.now()
  const world = await servedWorld(resolve(dirname(data100), rehearsal.world), speed)
  const startedMs = Date.now() - began
  const { wallMs } = await inChild<SequenceRun>('failover/sequence.ts', [data100, world.cloud])
  await world.stop()
  const end = endOf((await leftIn(world.folder)).state)
  if (!isDeepStrictEqual(end, wanted)) {
    throw new Error(`the sequence left another world: ${JSON.stringify(end)} instead of ${JSON.stringify(wanted)}`)
  }
  // A rehearsal starts its world too.
  return startedMs + wallMs
}

function table(parts: readonly Part[]): readonly string[] {
  const total = totalOf(parts)
  const kinds = ['world', ...Object.keys(total).filter((kind) => kind !== 'world')]
  const row = (name: string, cells: readonly string[]): string => name.padEnd(20) + cells.map((cell) => cell.padStart(9)).join('')
  const rowOf = (name: string, spent: Spent): string => row(name, kinds.map((kind) => seconds(spent[kind] ?? 0)))
  return [row('', kinds), ...parts.map(({ name, spent }) => rowOf(name, spent)), rowOf('all', total)]
}

function inSeconds(spent: Spent): Record<string, number> {
  return Object.fromEntries(Object.entries(spent).map(([kind, ms]) => [kind, Math.round(ms) / second]))
}

function seconds(ms: number): string {
  return (ms / second).toFixed(2)
}
