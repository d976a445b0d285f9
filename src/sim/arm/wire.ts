import type { IncomingHttpHeaders } from 'node:http'
import type { Operation } from '../world/model.js'
import { WorldError, type World } from '../world/world.js'

/** What every handler of the resource manager gets: one request taken apart, and the world it is about. */
export interface ArmRequest {
  readonly arm: Arm
  readonly world: World
  readonly method: string
  /** Without query, segments decoded, empty ones dropped. */
  readonly path: string
  /** Keys in lower case. */
  readonly query: ReadonlyMap<string, string>
  readonly headers: IncomingHttpHeaders
  readonly body: Body
  /** The values of `{…}` in the route's pattern. */
  readonly params: Readonly<Record<string, string>>
  /** What it was sent for, where that is known. */
  readonly by?: string
}

export type Body = Readonly<Record<string, unknown>>

export interface ArmAnswer {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface Route {
  readonly method: string
  /** `/subscriptions/{subscription}/resourceGroups/{group}`; matched without regard to case; `{rest*}` takes all that is left. */
  readonly pattern: string
  readonly handle: (request: ArmRequest) => ArmAnswer | Promise<ArmAnswer>
  /** Does it change anything? Absent: GET and HEAD do not, everything else does. */
  readonly writes?: boolean | ((request: ArmRequest) => boolean)
  /**
   * A POST that asks, and is refused like a write all the same: where a lock is ReadOnly, since a lock does not know what a POST does, or
   * in a disabled subscription as well.
   */
  readonly refusedLikeWrite?: 'locked' | 'locked-or-disabled'
  /** True for what goes on in a group that a move has locked, and answers for itself. */
  readonly inLockedGroup?: boolean
}

/** How the end of an operation is told; which client reads which is in the facts on the wire. */
export interface Tracking {
  readonly operation: Operation
  /** `Microsoft.Compute`; undefined for the operations of resource groups. */
  readonly namespace?: string
  /** What the Location answers in the end; 204 without. */
  readonly result?: () => unknown
  /** False where other writes to the resource may go on meanwhile. */
  readonly exclusive?: boolean
  /** Resolves when the operation is really over, where that is later than its time. */
  readonly until?: () => Promise<unknown> | undefined
  /** What stands at its Location in the end has no body. */
  readonly endsEmpty?: boolean
}

/** Long-running operations, as handlers start them. */
export interface Tracker {
  /** Headers for the first answer of an operation. `async` is Azure-AsyncOperation. */
  track(tracking: Tracking, kinds: readonly ('async' | 'location')[]): Record<string, string>
  /** The routes at which clients look for its end. */
  routes(): Route[]
}

/** The resource manager of one world. */
export interface Arm {
  readonly world: World
  /** `https://127.0.0.1:port` */
  readonly origin: string
  /** PEM of the world's authority. */
  readonly authorityPem: string
  readonly operations: Tracker
}

export const ok = (body: unknown, headers: Readonly<Record<string, string>> = {}): ArmAnswer => ({ status: 200, body, headers })

export const list = (value: readonly unknown[]): ArmAnswer => ok({ value })

export function notFound(what: string, id: string): WorldError {
  return new WorldError(404, what, `The ${what === 'ResourceGroupNotFound' ? 'resource group' : 'resource'} '${id}' could not be found.`)
}

/** An object out of a body of unknown shape; empty if it is none. */
export function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}

/** The objects of a list out of a body of unknown shape. */
export function records(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.map(record) : []
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** `{ id }` of a reference to another resource. */
export function idOf(value: unknown): string | undefined {
  return textOf(record(value)['id'])
}

/** Tags of a body: texts only. */
export function tagsOf(value: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(record(value)).map(([key, one]) => [key, String(one)]))
}
