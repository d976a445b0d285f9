import type { OthersRequest } from '../../sim/arm/faults.js'
import { busy } from '../../sim/arm/generic.js'
import type { Host } from '../../sim/world/model.js'
import { WorldError, type World } from '../../sim/world/world.js'
import type { Scene } from '../../virtual/scene.js'
import type { ProgramTrouble, Trouble, WireTrouble } from '../../virtual/trouble.js'
import type { Weather } from './weather.js'

/** What a storm needs besides the scene that it is over. */
export interface Stormy {
  /** Cores of a family that may be used; the storm's own, to be changed. */
  readonly quota: Record<string, number>
  /** Told when somebody else has written to a resource. */
  readonly elsewhere: (path: string) => void
  /** Told when a write arrives that was given up. */
  readonly late: (path: string) => void
  /** Begins the same failover at the colleague's machine. */
  readonly colleague: () => void
  /** Told of what the world could not do: a fault of the trial itself. */
  readonly failed: (error: unknown) => void
}

/** The trouble of a weather, until it `ends`; the same out of the same numbers. */
export class Storm implements Trouble {
  readonly #weather: Weather
  readonly #random: () => number
  #over: (Stormy & { readonly scene: Scene }) | undefined
  #fromMs = 0
  #isOver = false
  /** The region's quota of cores, where the site states one. */
  #cores: { readonly name: string; readonly was: number } | undefined
  #touches = 0
  readonly #silentUntilMs = new Map<Host, number>()
  readonly #failed = (error: unknown): void => this.#over?.failed(error)

  constructor(weather: Weather, random: () => number) {
    this.#weather = weather
    this.#random = random
  }

  /** Begins to trouble a scene. */
  over(scene: Scene, stormy: Stormy): void {
    this.#over = { scene, ...stormy }
    const { operations, once } = this.#weather
    const { world } = scene.within
    this.#fromMs = scene.clock.nowMs() + this.#weather.fromMs
    world.tamper.add((operation) => {
      if (!this.#lasts || unfailing.has(operation.what)) return undefined
      if (this.#is(operations.hanging)) operation.durationMs *= 20
      else if (this.#is(operations.long)) operation.durationMs *= 1 + this.#random() * 4
      if (!this.#is(operations.failing)) return undefined
      return new WorldError(409, 'InternalExecutionError', 'An internal execution error occurred. Please retry later.')
    })
    const { oldServersSilent: silent, startedAgain, quotaGone, colleague } = once
    const there = [...world.hosts.values()]
    if (startedAgain) this.#onceStopped(there, startedAgain.afterMs)
    if (silent) this.#at(silent.atMs, () => { for (const host of there) this.#silence(world, host, silent.forMs) })
    const [name = 'cores', was] = Object.entries(stormy.quota).find(([one]) => one.toLowerCase() === 'cores') ?? []
    if (was !== undefined) this.#cores = { name, was }
    if (quotaGone) this.#at(quotaGone.atMs, () => (stormy.quota[name] = 0))
    if (colleague) this.#at(colleague.atMs, stormy.colleague)
  }

  onRequest(method: string, path: string): WireTrouble | undefined {
    if (!this.#lasts) return undefined
    const { requests } = this.#weather
    if (this.#is(requests.silentHosts)) this.#silenceOne()
    if ((method === 'PUT' || method === 'PATCH') && isRecord(path) && this.#is(requests.touchedRecords)) this.#touch(path)
    if (this.#is(requests.throttled)) return { kind: 'refused', status: 429, code: 'TooManyRequests', retryAfterSeconds: 1 + Math.floor(this.#random() * 20) }
    if (this.#is(requests.failing)) return { kind: 'refused', status: this.#random() < 0.5 ? 500 : 503, code: 'InternalServerError' }
    if (this.#is(requests.resets)) return { kind: 'reset' }
    if (this.#is(requests.lostReplies)) return { kind: 'reply-lost' }
    if (isWrite(method) && this.#is(requests.late)) return { kind: 'late', ms: this.#random() * latestMs, arrives: () => this.#over?.late(path) }
    if (this.#is(requests.slow)) return { kind: 'slow', ms: this.#random() * 60_000 }
    return undefined
  }

  onProgram(name: string): ProgramTrouble | undefined {
    if (!this.#lasts) return undefined
    const { killed, cutOff } = this.#weather.programs
    if (name === 'helm' && this.#is(killed)) return { kind: 'killed', afterMs: this.#random() * 5 * 60_000 }
    if (name === 'ssh' && this.#is(cutOff)) return { kind: 'cut-off', afterMs: this.#random() * 10_000 }
    return undefined
  }

  /** A life begins: the machine's clock may be off. */
  onLife(): void {
    const scene = this.#over?.scene
    if (!this.#lasts || scene === undefined) return
    const { clocks } = this.#weather
    const { machine } = scene.operator
    const either = this.#random() < 0.5 ? -1 : 1
    machine.clockAheadMs = this.#is(clocks.off) ? either * this.#random() * 4 * 60_000 : 0
    if (!this.#is(clocks.jumping)) return
    this.#at(this.#random() * 40 * 60_000, () => (machine.clockAheadMs += either * this.#random() * 5 * 3_600_000))
  }

  /** Nothing goes wrong from now on, and what was silent answers again. */
  end(): void {
    this.#isOver = true
    if (this.#over === undefined) return
    const { scene, quota } = this.#over
    const { world } = scene.within
    if (this.#cores !== undefined) quota[this.#cores.name] = this.#cores.was
    else delete quota['cores']
    scene.operator.machine.clockAheadMs = 0
    for (const host of world.hosts.values()) host.answers = true
    world.changed()
  }

  get #lasts(): boolean {
    return !this.#isOver && this.#over !== undefined && this.#over.scene.clock.nowMs() >= this.#fromMs
  }

  #is(probability: number): boolean {
    return probability > 0 && this.#random() < probability
  }

  #at(ms: number, act: () => void): void {
    this.#over?.scene.clock.schedule(ms, () => this.#isOver || act())
  }

  /** Of those machines, the first one that is deallocated: somebody means well, and starts it. */
  #onceStopped(machines: readonly Host[], afterMs: number): void {
    const { world, manager } = this.#over?.scene.within ?? {}
    const look = (): void => {
      const stopped = machines.find(({ power }) => power === 'deallocated')
      if (stopped === undefined) return
      world?.onChange.delete(look)
      const start = (): void => {
        // While a move holds its group, or something else is done to it, nobody can start it: they try again.
        const [, group = ''] = /\/resourceGroups\/([^/]+)/i.exec(stopped.machine) ?? []
        const isHeld = world !== undefined && ((world.group(group)?.locks.size ?? 0) > 0 || busy(world, stopped.machine))
        if (isHeld) return this.#at(60_000, start)
        stopped.answers = true
        void manager?.asSomebodyElse({ method: 'POST', path: `${stopped.machine}/start` }).catch(this.#failed)
      }
      this.#at(afterMs, start)
    }
    world?.onChange.add(look)
  }

  #silenceOne(): void {
    const world = this.#over?.scene.within.world
    const hosts = [...(world?.hosts.values() ?? [])]
    const host = hosts[Math.floor(this.#random() * hosts.length)]
    if (world !== undefined && host !== undefined) this.#silence(world, host, 60_000 + this.#random() * 10 * 60_000)
  }

  /** One that is silent already is so until the later of the two ends. */
  #silence(world: World, host: Host, forMs: number): void {
    const untilMs = Math.max(world.clock.nowMs() + forMs, this.#silentUntilMs.get(host) ?? 0)
    this.#silentUntilMs.set(host, untilMs)
    host.answers = false
    world.clock.schedule(forMs, () => {
      if (world.clock.nowMs() < (this.#silentUntilMs.get(host) ?? 0)) return
      host.answers = true
      world.changed()
    })
    world.changed()
  }

  /** Somebody else has changed the record in the moment before: not what it says, but it is another one now. */
  #touch(path: string): void {
    if (this.#over === undefined) return
    const { scene, elsewhere } = this.#over
    if (!scene.within.world.recordSets.some(({ zone, type, name }) => path.toLowerCase().endsWith(`/dnszones/${zone}/${type}/${name}`.toLowerCase()))) return
    this.#touches += 1
    const request: OthersRequest = { method: 'PATCH', path, body: { properties: { metadata: { touched: String(this.#touches) } } } }
    const touched = scene.within.manager.asSomebodyElse(request).then((status) => void (status < 400 && elsewhere(path)))
    touched.catch(this.#failed)
  }
}

function isWrite(method: string): boolean {
  return method !== 'GET' && method !== 'HEAD'
}

/** What has a given-up request longer than that has given it up too: src/virtual/README.md. */
const latestMs = 3 * 60_000

function isRecord(path: string): boolean {
  return /\/dnszones\/[^/]+\/(A|CNAME|TXT)\/[^/]+$/i.test(path)
}

/** What the world counts as operations although no client asked Azure for it: what goes on by itself, and on machines. */
const unfailing: ReadonlySet<string> = new Set(['pods', 'dns', 'first boot', 'runCommand', 'zpool import', 'zpool export', 'role assignment seen'])
