import { LifeboatError } from '../../contract/index.js'
import { callMatcher, isNamed, type Fault, type Infliction } from '../../gameday/index.js'
import type { Host, Operation } from '../../sim/world/model.js'
import { WorldError, type World } from '../../sim/world/world.js'
import type { WireTrouble } from '../../virtual/trouble.js'
import type { Scene } from '../../virtual/scene.js'
import type { Wire } from './wire.js'

type Struck = (what: string) => void
type OfKind<K extends Infliction['kind']> = Extract<Infliction, { kind: K }>
type OfOperations = OfKind<'failOperation' | 'prolong'>

/** Does to a world in this process what a scenario names. */
export class Inflicter {
  readonly #scene: Scene
  readonly #wire: Wire
  readonly #kill: () => void
  /** Machines that were there at the start: of two with one name, a scenario means the older one. */
  readonly #old: ReadonlySet<string>
  readonly #operations: { readonly does: OfOperations; left: number; readonly struck: Struck }[] = []

  /** `kill` ends the life of the program that is at work, if one is. */
  constructor(scene: Scene, wire: Wire, kill: () => void) {
    this.#scene = scene
    this.#wire = wire
    this.#kill = kill
    const { world } = scene.within
    this.#old = new Set(world.hosts.keys())
    world.tamper.add((operation) => this.#befall(operation))
  }

  inflict({ when, do: does }: Fault, struck: Struck): void {
    switch (does.kind) {
      case 'refuse':
      case 'reset':
      case 'loseReply':
      case 'slow':
        this.#wire.plant({ fits: callMatcher(does.with.call ?? when.call ?? ''), times: does.with.times, trouble: troubleOf(does, this.#world.clock.rate ?? 1), struck })
        return
      case 'failOperation':
      case 'prolong':
        this.#operations.push({ does, left: does.with.times, struck })
        return
      case 'silence':
      case 'wake':
        this.#answering(does.with, does.kind === 'wake', struck)
        return
      case 'powerOff':
      case 'powerOn': {
        const { machine } = this.#host(does.with)
        this.#bySomebodyElse('POST', `${machine}/${does.kind === 'powerOn' ? 'start' : 'powerOff'}`)
        struck(`${machine.split('/').at(-1) ?? machine} goes ${does.kind === 'powerOn' ? 'up' : 'down'}`)
        return
      }
      case 'laptop':
        this.#kill()
        struck('the program was killed')
    }
  }

  #answering(name: string, answers: boolean, struck: Struck): void {
    const host = this.#host(name)
    host.answers = answers
    this.#world.changed()
    struck(`${host.machine.split('/').at(-1) ?? host.machine} ${answers ? 'answers again' : 'answers nobody'}`)
  }

  get #world(): World {
    return this.#scene.within.world
  }

  #bySomebodyElse(method: string, path: string): void {
    void this.#scene.within.manager.asSomebodyElse({ method, path })
  }

  #host(name: string): Host {
    const fitting = [...this.#world.hosts].filter(([, { machine }]) => isNamed(machine, name))
    const [, host] = fitting.find(([key]) => this.#old.has(key)) ?? fitting[0] ?? []
    if (host === undefined) throw new LifeboatError('gameday.no-machine', `there is no machine ${name} yet when its fault comes`, { blame: 'user' })
    return host
  }

  #befall(operation: Operation): WorldError | undefined {
    const met = this.#operations.filter(({ does, left }) => left > 0 && isOn(does, operation))
    let failure: WorldError | undefined
    for (const one of met) {
      one.left -= 1
      one.struck(`${operation.what} of ${operation.resource.split('/').at(-1) ?? operation.resource}`)
      if (one.does.kind === 'prolong') operation.durationMs = one.does.with.to
      else failure ??= new WorldError(409, one.does.with.code, one.does.with.message)
    }
    return failure
  }
}

function isOn({ with: { operation: name, on } }: OfOperations, { what, resource, also = [] }: Operation): boolean {
  return what === name && (on === undefined || [resource, ...also].some((id) => id.toLowerCase().includes(on.toLowerCase())))
}

/** `rate`: milliseconds of the world in one of the machine's, by which the wire counts. */
function troubleOf(does: OfKind<'refuse' | 'reset' | 'loseReply' | 'slow'>, rate: number): WireTrouble {
  switch (does.kind) {
    case 'refuse': {
      const { status, code, message, retryAfter } = does.with
      return { kind: 'refused', status, code, message, ...(retryAfter === undefined ? {} : { retryAfterMs: Math.ceil(retryAfter / rate) }) }
    }
    case 'reset':
      return { kind: 'reset' }
    case 'loseReply':
      return { kind: 'reply-lost' }
    case 'slow':
      return { kind: 'slow', ms: does.with.by }
  }
}
