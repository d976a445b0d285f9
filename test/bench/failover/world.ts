import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { lifeboat, temporaryFolder } from '../../helpers/cli.js'
import { readCloud } from '../../helpers/worlds.js'
import type { RequestEntry, WorldState } from '../../helpers/served.js'

export interface WorldClock {
  /** Real milliseconds of a moment of the world (RFC 3339). */
  realMs(t: string): number
}

/** What a world leaves in its folder when it has ended. */
export interface LeftWorld {
  readonly clock: WorldClock
  readonly state: WorldState
  readonly requests: readonly (RequestEntry & { readonly t: string })[]
}

/** Resolves when the world there has ended. */
export async function leftIn(folder: string): Promise<LeftWorld> {
  while (!existsSync(join(folder, 'state.json'))) await setTimeout(20)
  const lines = readFileSync(join(folder, 'requests.ndjson'), 'utf8').split('\n').filter((line) => line !== '')
  return {
    clock: clockOf(join(folder, 'cloud.json')),
    state: JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8')) as WorldState,
    requests: lines.map((line) => JSON.parse(line) as RequestEntry & { t: string }),
  }
}

/** The folder of the only world that was rehearsed in a state folder. */
export function onlyWorldIn(stateDir: string): string {
  const [only, ...more] = readdirSync(join(stateDir, 'worlds'))
  if (only === undefined || more.length > 0) throw new Error(`there is not one world in ${stateDir}`)
  return join(stateDir, 'worlds', only)
}

function clockOf(cloudPath: string): WorldClock {
  const { real, world, rate } = readCloud(cloudPath).clock
  return { realMs: (t) => Date.parse(real) + (Date.parse(t) - Date.parse(world)) / rate }
}

export interface ServedWorld {
  /** Path of its cloud file. */
  readonly cloud: string
  readonly folder: string
  /** Resolves when it has written what it leaves. */
  stop(): Promise<void>
}

/** Serves a world by a process of its own, as a rehearsal does. */
export async function servedWorld(world: string, speed: number): Promise<ServedWorld> {
  const folder = temporaryFolder()
  const sim = lifeboat(['sim', '--world', world, '--speed', String(speed), '--state-dir', folder, '--access-log', join(folder, 'requests.ndjson')])
  const ready = (await sim.until((event) => (event.type as string) === 'sim.ready')) as unknown as { cloud: string; control: string }
  return {
    cloud: ready.cloud,
    folder,
    async stop() {
      await post(`${ready.control}/stop`, readFileSync(join(folder, 'ca.pem'), 'utf8'))
      await sim.ended
    },
  }
}

function post(url: string, ca: string): Promise<void> {
  return new Promise((resolve, reject) => {
    request(url, { method: 'POST', ca }, (answer) => answer.resume().on('end', resolve)).on('error', reject).end()
  })
}
