import { callMatcher, type Fault } from '../../gameday/index.js'
import type { Operation } from '../../sim/world/model.js'
import { WorldError, type World } from '../../sim/world/world.js'
import type { WorldParts } from '../../sim/within.js'
import type { Meeting, OfKind, TellBroke, TellStruck } from './infliction.js'
import { onSite } from './on-site.js'
import type { NamedTrouble, Wire } from './wire.js'

type OfOperations = OfKind<'failOperation' | 'prolong'>

/** The person at the terminal, as far as faults befall them. */
export interface AtTheTerminal {
  /** Ends the life of the program that is at work; false if none is. */
  kill(): boolean
  /** Ends every running program of that name on their machine, as SIGKILL does; how many there were. */
  killAll(program: string): Promise<number>
  /** Somebody else begins the same failover. */
  colleague(): void
  /** Sets the clock of their machine ahead by that many of its milliseconds, or back. */
  setClock(aheadMs: number, struck: TellStruck): void
  /** Variables of the shell from the next command on. */
  setShell(variables: Readonly<Record<string, string>>, struck: TellStruck): void
}

/** Does to a world in this process what a scenario names. */
export class Inflicter {
  /** Told the path of what somebody else has written. */
  elsewhere: (path: string) => void = () => undefined
  readonly #parts: WorldParts
  readonly #wire: Wire
  readonly #operator: AtTheTerminal
  /** Machines that were there at the start: of two with one name, a scenario means the older one. */
  readonly #old: ReadonlySet<string>
  /** What a command would say of faults that it has seen. */
  readonly #unsaid = new Set<{ readonly of: RegExp; readonly struck: TellStruck }>()
  readonly #operations: { readonly does: OfOperations; left: number; readonly struck: TellStruck }[] = []

  constructor(parts: WorldParts, wire: Wire, operator: AtTheTerminal) {
    this.#parts = parts
    this.#wire = wire
    this.#operator = operator
    const { world } = parts
    this.#old = new Set(world.hosts.keys())
    world.tamper.add((operation) => this.#befall(operation))
  }

  /** Throws `gameday.cannot` where what it is about is not there (yet). */
  inflict({ when, do: does }: Fault, struck: TellStruck, broke: TellBroke): void {
    switch (does.kind) {
      case 'refuse':
      case 'reset':
      case 'loseReply':
      case 'slow': {
        const { call = when.call ?? '', times } = does.with
        this.#wire.plant({ fits: callMatcher(call), times, trouble: troubleOf(does, this.#world.clock.rate ?? 1), struck })
        return
      }
      case 'failOperation':
      case 'prolong':
        this.#operations.push({ does, left: does.with.times, struck })
        return
      case 'sshBreaks':
        this.#wire.breakSsh(does.with.times, struck)
        return
      case 'colleague':
        this.#operator.colleague()
        struck('the same failover, on another machine')
        return
      case 'laptop':
        if (this.#operator.kill()) struck('the program was killed')
        return
      case 'program':
        void this.#operator.killAll(does.with.dies).then((killed) => killed > 0 && struck(`${killed} ${does.with.dies} killed`)).catch(broke)
        return
      case 'clock':
        this.#operator.setClock(does.with.set === 'forward' ? does.with.by : -does.with.by, struck)
        return
      case 'shell':
        this.#operator.setShell(does.with, struck)
        return
      case 'onlyPeopleSee':
        struck(does.with)
        return
      default:
        onSite(does, this.#parts, this.#old, this.#meeting(struck, broke))
        this.#world.changed()
    }
  }

  /** To be told what a command has said that did not begin, or has stopped. */
  said(text: string): void {
    // It is broken into lines for a terminal.
    const oneLine = text.replaceAll(/\s+/g, ' ')
    for (const one of this.#unsaid) {
      if (!one.of.test(oneLine)) continue
      this.#unsaid.delete(one)
      one.struck('a look before anything was begun')
    }
  }

  #meeting(struck: TellStruck, broke: TellBroke): Meeting {
    return { struck, broke, elsewhere: (path) => this.elsewhere(path), orSaid: (of) => void this.#unsaid.add({ of, struck }) }
  }

  get #world(): World {
    return this.#parts.world
  }

  #befall(operation: Operation): WorldError | undefined {
    const met = this.#operations.filter(({ does, left }) => left > 0 && isOn(does, operation))
    let failure: WorldError | undefined
    for (const one of met) {
      // What takes as long by itself is not prolonged: it is left to one that is.
      if (one.does.kind === 'prolong' && operation.durationMs >= one.does.with.to) continue
      // Nor does one fail twice.
      if (one.does.kind !== 'prolong' && failure !== undefined) continue
      one.left -= 1
      one.struck(`${operation.what} of ${operation.resource.split('/').at(-1) ?? operation.resource}`)
      if (one.does.kind === 'prolong') operation.durationMs = one.does.with.to
      else failure = new WorldError(409, one.does.with.code, one.does.with.message)
    }
    return failure
  }
}

function isOn({ with: { operation: name, on } }: OfOperations, { what, resource, also = [] }: Operation): boolean {
  return what === name && (on === undefined || [resource, ...also].some((id) => id.toLowerCase().includes(on.toLowerCase())))
}

/** `rate`: milliseconds of the world in one of the machine's, by which the wire counts. */
function troubleOf(does: OfKind<'refuse' | 'reset' | 'loseReply' | 'slow'>, rate: number): NamedTrouble {
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
