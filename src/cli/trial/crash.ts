import type { CallPoint } from '../../virtual/incarnation.js'
import type { Disk } from '../../virtual/disk.js'
import type { Interrupts } from '../interrupts.js'

/** What befalls the program at a point. */
export const hows = ['kill', 'sigterm', 'sigint', 'full-disk', 'torn'] as const
export type How = (typeof hows)[number]

/** A moment of an undisturbed run, and what is asked for there. */
export interface CrashPoint {
  readonly number: number
  readonly when: CallPoint['when']
  /** `arm PUT …`, `journal step.intent`. */
  readonly what: string
  /** Of a journal's append: how many bytes it has, or, of one that does not come through, how many of them reach the disk. */
  readonly bytes?: number
}

/** What a life can be befallen by, besides its death. */
export interface Hands {
  readonly interrupts: Pick<Interrupts, 'receive'>
  readonly disk: Pick<Disk, 'fill' | 'tear'>
}

/** Of the moments of an undisturbed run those that mean something for this kind of crash. */
export function placesFor(how: How, points: readonly CrashPoint[]): readonly CrashPoint[] {
  const sent = points.filter(({ when }) => when === 'before')
  switch (how) {
    case 'kill':
      return points.map(withoutBytes)
    case 'sigterm':
    case 'sigint':
      return sent.map(withoutBytes)
    case 'full-disk':
      return appends(sent).flatMap((point) => [0, Math.floor(point.bytes / 2)].map((bytes) => ({ ...point, bytes })))
    case 'torn':
      // With all of its bytes it is one that was killed after it.
      return appends(sent).flatMap((point) => Array.from({ length: point.bytes - 1 }, (_, at) => ({ ...point, bytes: at + 1 })))
  }
}

function appends(points: readonly CrashPoint[]): readonly (CrashPoint & { readonly bytes: number })[] {
  return points.flatMap((point) => (point.bytes === undefined ? [] : [{ ...point, bytes: point.bytes }]))
}

function withoutBytes({ number, when, what }: CrashPoint): CrashPoint {
  return { number, when, what }
}

/** Has a life meet its crash at one point of it; answers whether it dies there. */
export function crashAt(how: How, place: Pick<CrashPoint, 'number' | 'when' | 'bytes'>): (point: CallPoint, hands: Hands) => boolean {
  return ({ number, when }, { interrupts, disk }) => {
    if (number !== place.number || when !== place.when) return false
    switch (how) {
      case 'kill':
        return true
      case 'sigterm':
      case 'sigint':
        interrupts.receive(how.toUpperCase())
        return false
      case 'full-disk':
        disk.fill(place.bytes ?? 0)
        return false
      case 'torn':
        disk.tear(place.bytes ?? 0)
        return false
    }
  }
}

export function isSignal(how: How): boolean {
  return how === 'sigterm' || how === 'sigint'
}

/** The exit codes that a life may end with which has met such a crash; 0 where it came too late to change anything. */
export function endsOf(how: How): readonly (number | 'killed')[] {
  switch (how) {
    case 'kill':
    case 'torn':
      return ['killed']
    case 'sigterm':
      return [143, 0]
    case 'sigint':
      return [130, 0]
    case 'full-disk':
      return [1]
  }
}

/** `812-before`, `812-before-17`: as `--point` takes it. */
export function placeText({ number, when, bytes }: Pick<CrashPoint, 'number' | 'when' | 'bytes'>): string {
  return [number, when, ...(bytes === undefined ? [] : [bytes])].join('-')
}

/** Undefined for a text that is none. */
export function placeOf(text: string): Pick<CrashPoint, 'number' | 'when' | 'bytes'> | undefined {
  const [, number, when, bytes] = /^([1-9]\d*)-(before|after)(?:-(\d+))?$/.exec(text) ?? []
  if (number === undefined || (when !== 'before' && when !== 'after')) return undefined
  return { number: Number(number), when, ...(bytes === undefined ? {} : { bytes: Number(bytes) }) }
}
