import type { Trouble, WireTrouble } from '../../virtual/trouble.js'
import type { World } from '../../sim/world/world.js'
import { WorldError } from '../../sim/world/world.js'

/** How often what happens while there is trouble: probabilities, each of one request or one operation. */
export interface Weather {
  readonly throttled: number
  readonly failing: number
  readonly resets: number
  readonly lostReplies: number
  readonly slow: number
  /** Of an operation: that it fails at its end, and that it takes longer. */
  readonly failedOperations: number
  readonly longOperations: number
  /** Of a request: that a machine falls silent for some minutes. */
  readonly silentHosts: number
}

/** Draws a weather: most kinds of trouble are rare, a few are frequent, some are not there at all. */
export function drawWeather(random: () => number): Weather {
  const rare = (most: number): number => (random() < 0.35 ? 0 : random() ** 2 * most)
  return {
    throttled: rare(0.08),
    failing: rare(0.08),
    resets: rare(0.06),
    lostReplies: rare(0.08),
    slow: rare(0.1),
    failedOperations: rare(0.25),
    longOperations: rare(0.4),
    silentHosts: rare(0.01),
  }
}

/** The trouble of a weather, until it `ends`; the same out of the same numbers. */
export class Storm implements Trouble {
  readonly #weather: Weather
  readonly #random: () => number
  #world: World | undefined
  #isOver = false

  constructor(weather: Weather, random: () => number) {
    this.#weather = weather
    this.#random = random
  }

  /** Begins to trouble the operations of a world, and its machines. */
  over(world: World): void {
    this.#world = world
    world.tamper.add((operation) => {
      if (this.#isOver || unfailing.has(operation.what)) return undefined
      if (this.#is(this.#weather.longOperations)) operation.durationMs *= 1 + this.#random() * 4
      if (!this.#is(this.#weather.failedOperations)) return undefined
      return new WorldError(409, 'InternalExecutionError', 'An internal execution error occurred. Please retry later.')
    })
  }

  onRequest(): WireTrouble | undefined {
    if (this.#isOver) return undefined
    const weather = this.#weather
    if (this.#is(weather.silentHosts)) this.#silence()
    if (this.#is(weather.throttled)) return { kind: 'refused', status: 429, code: 'TooManyRequests', retryAfterSeconds: 1 + Math.floor(this.#random() * 20) }
    if (this.#is(weather.failing)) return { kind: 'refused', status: this.#random() < 0.5 ? 500 : 503, code: 'InternalServerError' }
    if (this.#is(weather.resets)) return { kind: 'reset' }
    if (this.#is(weather.lostReplies)) return { kind: 'reply-lost' }
    if (this.#is(weather.slow)) return { kind: 'slow', ms: this.#random() * 60_000 }
    return undefined
  }

  /** Nothing goes wrong from now on, and what was silent answers again. */
  end(): void {
    this.#isOver = true
    for (const host of this.#world?.hosts.values() ?? []) host.answers = true
    this.#world?.changed()
  }

  #is(probability: number): boolean {
    return probability > 0 && this.#random() < probability
  }

  #silence(): void {
    const world = this.#world
    const hosts = [...(world?.hosts.values() ?? [])]
    const host = hosts[Math.floor(this.#random() * hosts.length)]
    if (world === undefined || host === undefined) return
    host.answers = false
    world.clock.schedule(60_000 + this.#random() * 10 * 60_000, () => {
      host.answers = true
      world.changed()
    })
    world.changed()
  }
}

/** What the world counts as operations although no client asked Azure for it: what goes on by itself, and on machines. */
const unfailing: ReadonlySet<string> = new Set(['pods', 'dns', 'first boot', 'runCommand', 'zpool import', 'zpool export', 'role assignment seen'])
