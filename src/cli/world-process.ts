import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { createInterface } from 'node:readline'
import { LifeboatError } from '../contract/index.js'
import type { RecordData } from '../journal/index.js'
import { loadCloud } from '../platform/cloud/load.js'
import { processStart } from '../platform/exec/processes.js'
import { digestOf } from '../platform/files/digest.js'
import { WorldControl } from './world-control.js'

/** A simulated world that runs as a process of its own, so that it lives on when this one is killed. */
export interface RunningWorld {
  readonly cloudPath: string
  readonly control: WorldControl
  /** As the journal keeps it, so that a resume finds and in the end stops it. */
  readonly sim: NonNullable<RecordData['run.started']['sim']>
}

interface Ready {
  readonly type: 'sim.ready'
  readonly cloud: string
  readonly control: string
  readonly pid: number
}

export interface WorldWishes {
  readonly worldFile: string
  readonly speed: number
  /** Folder for the world's own files, its access log among them. */
  readonly folder: string
  /** Path of this program. */
  readonly self: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Starts `lifeboat sim` and waits until it serves. Throws `world.failed` with what it said. */
export async function startWorld({ worldFile, speed, folder, self, env }: WorldWishes): Promise<RunningWorld> {
  const logPath = join(folder, 'sim.log')
  const log = await open(logPath, 'a', 0o600)
  const files = ['--state-dir', folder, '--access-log', join(folder, 'requests.ndjson')]
  const args = [self, 'sim', '--world', worldFile, '--speed', String(speed), ...files]
  const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'pipe', log.fd], env })
  const stdout = child.stdout as Readable
  await log.close()
  const lines = createInterface({ input: stdout })
  const first = await Promise.race([
    once(lines, 'line').then(([line]) => String(line)),
    once(child, 'exit').then(() => undefined),
  ])
  lines.close()
  stdout.destroy()
  // Not before: a world that ends at once would leave nothing to wait for, and this process would end without a word.
  child.unref()
  if (first === undefined) {
    throw new LifeboatError('world.failed', 'the simulated world did not start', {
      blame: 'user',
      hint: `What it said is in ${logPath}.`,
    })
  }
  const ready = JSON.parse(first) as Ready
  const started = (await processStart(ready.pid)) ?? ''
  return {
    cloudPath: ready.cloud,
    control: new WorldControl(ready.control, (await loadCloud(ready.cloud)).certificateAuthority ?? ''),
    sim: { pid: ready.pid, started, control: ready.control, world: await digestOf(worldFile), speed },
  }
}
