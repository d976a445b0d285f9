import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { createInterface } from 'node:readline'
import { LifeboatError } from '../contract/index.js'
import type { RecordData } from '../journal/index.js'
import { loadCloud } from '../platform/cloud/load.js'
import { processStart } from '../platform/exec/processes.js'
import { digestOf } from '../platform/files/digest.js'
import { keepWord } from './held.js'
import { WorldControl } from './world-control.js'

/** A simulated world that runs as a process of its own, so that it lives on when this one is killed. */
export interface RunningWorld {
  readonly cloudPath: string
  readonly control: WorldControl
  /** As the journal keeps it, so that a resume finds and in the end stops it. */
  readonly sim: NonNullable<RecordData['run.started']['sim']>
  /** Until this is called, the world ends with this process, however that ends. Afterwards it lives on, for a resume. */
  keep(): void
  /** Ends it, and leaves nothing of it: of a run that never began, nobody comes back to its world. */
  discard(): Promise<void>
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
  /** Ends the start, and what of the world there is by then. */
  readonly signal: AbortSignal
}

/** Starts `lifeboat sim` and waits until it serves. Throws `world.failed` with what it said, and the signal's reason. */
export async function startWorld({ worldFile, speed, folder, self, env, signal }: WorldWishes): Promise<RunningWorld> {
  const logPath = join(folder, 'sim.log')
  const log = await open(logPath, 'a', 0o600)
  const files = ['--state-dir', folder, '--access-log', join(folder, 'requests.ndjson')]
  const args = [self, 'sim', '--world', worldFile, '--speed', String(speed), ...files, '--held']
  const child = spawn(process.execPath, args, { detached: true, stdio: ['pipe', 'pipe', log.fd], env })
  const [stdin, stdout] = [child.stdin as Writable, child.stdout as Readable]
  // A world that is gone already needs no word.
  stdin.on('error', () => undefined)
  await log.close()
  const lines = createInterface({ input: stdout })
  const gone = once(child, 'exit').then(() => undefined)
  // All of it is in its memory, and nothing has been done there yet: nothing is lost with it.
  const end = (): void => void child.kill('SIGKILL')
  const discard = async (): Promise<void> => {
    child.ref()
    end()
    await gone
    await rm(folder, { recursive: true, force: true })
  }
  signal.addEventListener('abort', end)
  if (signal.aborted) end()
  const first = await Promise.race([once(lines, 'line').then(([line]) => String(line)), gone])
  signal.removeEventListener('abort', end)
  lines.close()
  stdout.destroy()
  if (signal.aborted) {
    await discard()
    throw signal.reason as Error
  }
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
    keep: () => void stdin.end(keepWord),
    discard,
  }
}
