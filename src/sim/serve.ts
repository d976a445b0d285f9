import { appendFile, mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { Faults } from './arm/faults.js'
import { startArm, type Beside } from './arm/server.js'
import { makeControl } from './control/control.js'
import { stateOf } from './control/state.js'
import { writeCloudFile, writeFiles, writePrivate } from './files.js'
import { Lab } from './lab/lab.js'
import type { Image } from './lab/files.js'
import { makeAuthority } from './pki.js'
import { scaledClock } from './world/clock.js'
import { makeWorld, readWorldSpec } from './world/load.js'
import type { WorldSpec } from './world/spec.js'
import type { World } from './world/world.js'
import { startRooms } from './rooms.js'
import type { WorldParts } from './within.js'

export interface ServeOptions {
  /** Path of the world file, or the world itself. */
  readonly world: string | WorldSpec
  /** How many seconds of the world pass in one of the machine's. */
  readonly speed: number
  /** Of the resource manager; 0 or absent takes a free one. */
  readonly port?: number
  /** NDJSON file to which the access log is appended. */
  readonly accessLog?: string
  /**
   * Where the cloud file, the authority's certificate and the keys go, and in the end `state.json`: what the control told of
   * the world last. Made if absent, private.
   */
  readonly stateDir: string
  /** Real milliseconds without a request after which the world ends; half an hour if absent. */
  readonly idleMs?: number
  /** Boots real machines from this image for the world's NFS hosts; without it they are simulated. */
  readonly lab?: Image
  readonly log?: (line: string) => void
}

export interface ServedWorld extends WorldParts {
  /** `https://127.0.0.1:port/_world` */
  readonly control: string
  readonly caPath: string
  /** What opens this world: the client's secret, and every token that was given for it. */
  secrets(): readonly string[]
  /** Resolves when the world has ended: told to, idle, or by `stop`. */
  readonly ended: Promise<string>
  stop(reason?: string): Promise<void>
}

/**
 * Serves a world: resource manager, Kubernetes, SSH, DNS, hubs, all on loopback, and writes the cloud file that leads any
 * client there. Throws WorldFileError if the world file cannot be used.
 */
export async function serveWorld(options: ServeOptions): Promise<ServedWorld> {
  const log = options.log ?? (() => undefined)
  const spec = typeof options.world === 'string' ? await readWorldSpec(options.world) : options.world
  const clock = scaledClock(Date.parse(spec.epoch), options.speed)
  const world = makeWorld(spec, clock)
  const authority = makeAuthority(`Lifeboat world ${spec.name}`, clock.realEpochMs)
  await mkdir(options.stateDir, { recursive: true, mode: 0o700 })
  const ended = ending()
  const real = scaledClock(clock.realEpochMs, 1)
  const idle = idleWatch(real, options.idleMs ?? 30 * 60_000, () => void stop('idle'))
  const faults = new Faults(world)
  // Before everything serves there is nothing to stop yet; after it, the answer goes out first.
  let begun = false
  const control = makeControl({
    world,
    faults,
    stop: () => {
      if (begun) real.schedule(50, () => void stop('told to stop'))
    },
  })
  const beside: Beside = async (method, path, _query, body) => {
    idle.touch()
    await world.real?.settled()
    return control(method, path, body)
  }
  const arm = await startArm(world, { authority, faults, beside, port: options.port ?? 0 })
  world.onRequest.add(() => idle.touch())
  const logFile = accessLog(world, options.accessLog, log)
  const lab = options.lab && (await withoutIt(() => arm.stop(), Lab.start(world, options.lab, join(options.stateDir, 'lab'), log)))
  const rooms = await startRooms(world, authority)
  const files = await writeFiles(options.stateDir, world, authority.pem, arm.client.secret)
  // Both taken from one reading, so that they fit exactly.
  const worldMs = clock.nowMs()
  const cloudPath = await writeCloudFile(options.stateDir, world, {
    origin: arm.origin,
    clientId: arm.client.id,
    files,
    reach: rooms.reach,
    clocks: { worldMs, realMs: clock.realEpochMs + (worldMs - Date.parse(spec.epoch)) / clock.rate, rate: clock.rate },
  })
  log(`world ${spec.name} serves at ${arm.origin}, ${options.speed} times as fast as real time`)

  let stopping: Promise<void> | undefined
  async function stop(reason = 'stopped'): Promise<void> {
    stopping ??= (async () => {
      idle.stop()
      clock.stop()
      real.stop()
      const last = JSON.stringify(stateOf(world))
      await lab?.stop()
      await rooms.stop()
      await arm.stop()
      await logFile.done()
      await writeLast(options.stateDir, last).catch((error: unknown) => log(`the world's last state cannot be written: ${String(error)}`))
      log(`world ${spec.name} has ended: ${reason}`)
      ended.resolve(reason)
    })()
    await stopping
  }
  begun = true
  idle.begin()
  const parts: WorldParts = { world, faults, manager: arm.manager, kube: rooms.kube, hubs: rooms.hubs, cloudPath }
  return { ...parts, control: `${arm.origin}/_world`, caPath: files.ca, secrets: () => arm.secrets(), ended: ended.promise, stop }
}

/** What fails leaves nothing behind that keeps the process. */
async function withoutIt<T>(close: () => Promise<void>, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    await close()
    throw error
  }
}

function ending(): { promise: Promise<string>; resolve: (reason: string) => void } {
  let resolve: (reason: string) => void = () => undefined
  const promise = new Promise<string>((done) => (resolve = done))
  return { promise, resolve }
}

interface IdleWatch {
  /** From here on it counts: a world that is still starting is not idle. */
  begin(): void
  touch(): void
  stop(): void
}

function idleWatch(real: ReturnType<typeof scaledClock>, idleMs: number, end: () => void): IdleWatch {
  let lastMs = real.nowMs()
  let cancel = (): void => undefined
  const look = (afterMs: number): void => {
    cancel = real.schedule(afterMs, () => {
      const leftMs = lastMs + idleMs - real.nowMs()
      if (leftMs <= 0) end()
      else look(leftMs)
    })
  }
  const touch = (): void => void (lastMs = real.nowMs())
  return {
    begin: () => {
      touch()
      look(idleMs)
    },
    touch,
    stop: () => cancel(),
  }
}

/** Appends each request to the file in its turn; a failed write is said once and does not stop the world. */
function accessLog(world: World, file: string | undefined, log: (line: string) => void): { done(): Promise<void> } {
  let last = Promise.resolve()
  let failed = false
  if (file !== undefined) {
    world.onRequest.add((entry) => {
      last = last
        .then(() => appendFile(file, `${JSON.stringify(entry)}\n`, { mode: 0o600 }))
        .catch((error: unknown) => {
          if (!failed) log(`the access log cannot be written: ${String(error)}`)
          failed = true
        })
    })
  }
  return { done: () => last }
}

/** The last thing that a world does: who finds it whole finds everything else whole. */
async function writeLast(stateDir: string, text: string): Promise<void> {
  const path = join(stateDir, 'state.json')
  await writePrivate(`${path}.new`, text)
  await rename(`${path}.new`, path)
}
