import type { Met } from '../../sim/arm/faults.js'
import { refusal } from '../../virtual/azure.js'
import type { ProgramTrouble, Trouble, WireTrouble } from '../../virtual/trouble.js'
import type { TellStruck } from './infliction.js'

/** What a scenario can have happen to a request. None names one that arrives late: that is the storm's (../trial/storm.ts). */
export type NamedTrouble = Exclude<WireTrouble, { readonly kind: 'late' }>

/** A fault on the way to Azure and back. */
export interface OnTheWay {
  readonly fits: (method: string, path: string) => boolean
  readonly times: number
  readonly trouble: NamedTrouble
  readonly struck: TellStruck
}

/** The way to Azure: counts what is sent, and befalls it with what was planted. */
export class Wire implements Trouble {
  readonly calls: { readonly method: string; readonly path: string }[] = []
  /** Told of each request before it is befallen. */
  heard: (method: string, path: string) => void = () => undefined
  readonly #planted: { readonly fault: OnTheWay; left: number }[] = []

  readonly #cutOff: { left: number; readonly struck: TellStruck }[] = []

  plant(fault: OnTheWay): void {
    this.#planted.push({ fault, left: fault.times })
  }

  /** The next connections by ssh break. */
  breakSsh(times: number, struck: TellStruck): void {
    this.#cutOff.push({ left: times, struck })
  }

  onProgram(name: string): ProgramTrouble | undefined {
    const isDue = name === 'ssh' && this.#cutOff.some(({ left }) => left > 0)
    // Most are over sooner than that: those have met nothing.
    return isDue ? { kind: 'cut-off', afterMs: 300, strikes: () => this.#cutsOff() } : undefined
  }

  #cutsOff(): boolean {
    const met = this.#cutOff.find(({ left }) => left > 0)
    if (met === undefined) return false
    met.left -= 1
    met.struck('a connection by ssh')
    return true
  }

  onRequest(method: string, path: string): NamedTrouble | undefined {
    this.calls.push({ method, path })
    this.heard(method, path)
    const met = this.#planted.find(({ fault, left }) => left > 0 && fault.fits(method, path))
    if (met === undefined) return undefined
    met.left -= 1
    met.fault.struck(`${method} ${path.split('/').slice(-2).join('/')}`)
    return met.fault.trouble
  }
}

/** The same trouble at a door that is served: what befalls a request there. */
export function metBy(trouble: NamedTrouble | undefined): Met | undefined {
  switch (trouble?.kind) {
    case undefined:
      return undefined
    case 'refused':
      return { answer: refusal(trouble) }
    case 'reset':
      return { drop: 'before' }
    case 'reply-lost':
      return { drop: 'after' }
    case 'slow':
      return { slowMs: trouble.ms }
  }
}
