import type { Operation } from '../world/model.js'
import { makeSecret } from '../world/secrets.js'
import { type World, WorldError } from '../world/world.js'
import type { ArmAnswer, Route, Tracker, Tracking } from './wire.js'

interface Entry extends Tracking {
  readonly token: string
  settled: boolean
}

/** As long as `az` waits where nothing is said (facts/arm-wire). */
const longestHintMs = 30_000

/** Goes on still: its time is not up, or what it does is not over. What has failed is over. */
function isOpen({ operation, settled }: Entry): boolean {
  return operation.status === 'running' || (operation.status === 'succeeded' && !settled)
}

/** Long-running operations as clients see them: the two kinds of URL that they poll, and what stands there. */
export class Operations implements Tracker {
  readonly #entries = new Map<string, Entry>()

  constructor(
    readonly world: World,
    readonly origin: string,
  ) {}

  /** Headers for the first answer. `async` is Azure-AsyncOperation. */
  track(tracking: Tracking, kinds: readonly ('async' | 'location')[]): Record<string, string> {
    const entry: Entry = { ...tracking, token: makeSecret(12), settled: tracking.until === undefined }
    this.#entries.set(tracking.operation.id, entry)
    tracking.operation.exclusive = tracking.exclusive ?? true
    const { subscription, location } = this.world.spec
    const place =
      tracking.namespace === undefined
        ? `/subscriptions/${subscription}`
        : `/subscriptions/${subscription}/providers/${tracking.namespace}/locations/${location}`
    const url = (kind: string): string =>
      `${this.origin}${place}/${kind}/${tracking.operation.id}?api-version=2024-07-01&t=${entry.token}`
    return {
      ...(kinds.includes('async') ? { 'azure-asyncoperation': url('operations') } : {}),
      ...(kinds.includes('location') ? { location: url('operationresults') } : {}),
      ...this.hint(tracking.operation),
    }
  }

  /** When to look again: real time, exact in milliseconds, and at least a whole second for those who read only that. */
  hint(operation: Operation): Record<string, string> {
    const rate = this.world.clock.rate ?? 1
    const leftMs = operation.startedAtMs + operation.durationMs - this.world.clock.nowMs()
    const waitMs = Math.ceil(Math.min(Math.max(leftMs, 0) + 250, longestHintMs) / rate)
    const exactMs = Math.max(waitMs, 50)
    return { 'x-ms-retry-after-ms': String(exactMs), 'retry-after': String(Math.max(1, Math.round(exactMs / 1000))) }
  }

  #find(id: string, token: string | undefined): Entry {
    const entry = this.#entries.get(id)
    if (!entry || entry.token !== token) throw new WorldError(404, 'NotFound', `There is no operation ${id}.`)
    if (!entry.settled && entry.operation.status === 'succeeded') {
      const wait = entry.until?.()
      if (wait === undefined) entry.settled = true
      else void wait.then(() => (entry.settled = true), () => (entry.settled = true))
    }
    return entry
  }

  /** Azure-AsyncOperation: 200 with a status. */
  #status(id: string, token: string | undefined): ArmAnswer {
    const entry = this.#find(id, token)
    const { operation } = entry
    const base = { name: operation.id, id: operation.id, startTime: new Date(operation.startedAtMs).toISOString() }
    if (isOpen(entry)) {
      return { status: 200, body: { ...base, status: 'InProgress' }, headers: this.hint(operation) }
    }
    const ended = { ...base, endTime: new Date(operation.startedAtMs + operation.durationMs).toISOString() }
    if (operation.status === 'succeeded') {
      const output = entry.result?.()
      return { status: 200, body: { ...ended, status: 'Succeeded', ...(output === undefined ? {} : { properties: { output } }) } }
    }
    const status = operation.status === 'canceled' ? 'Canceled' : 'Failed'
    const error = operation.error ?? { code: 'Canceled', message: 'The operation was canceled.' }
    return { status: 200, body: { ...ended, status, error: { code: error.code, message: error.message } } }
  }

  /** Location: 202 while it runs, then the result itself, or the error. */
  #result(id: string, token: string | undefined): ArmAnswer {
    const entry = this.#find(id, token)
    const { operation } = entry
    if (isOpen(entry)) {
      const { subscription } = this.world.spec
      const place = entry.namespace === undefined ? '' : `/providers/${entry.namespace}/locations/${this.world.spec.location}`
      const location = `${this.origin}/subscriptions/${subscription}${place}/operationresults/${id}?api-version=2024-07-01&t=${entry.token}`
      return { status: 202, headers: { location, ...this.hint(operation) } }
    }
    if (operation.status === 'succeeded') {
      if (entry.endsEmpty === true) return { status: 200 }
      const body = entry.result?.()
      return body === undefined ? { status: 204 } : { status: 200, body }
    }
    const { status, ...error } = operation.error ?? { code: 'Canceled', message: 'The operation was canceled.', status: 409 }
    return { status, body: { error } }
  }

  routes(): Route[] {
    const place = '/subscriptions/{subscription}/providers/{namespace}/locations/{location}'
    return [
      { method: 'GET', pattern: `${place}/operations/{id}`, handle: ({ params, query }) => this.#status(params['id'] ?? '', query.get('t')) },
      { method: 'GET', pattern: `${place}/operationresults/{id}`, handle: ({ params, query }) => this.#result(params['id'] ?? '', query.get('t')) },
      {
        method: 'GET',
        pattern: '/subscriptions/{subscription}/operationresults/{id}',
        handle: ({ params, query }) => this.#result(params['id'] ?? '', query.get('t')),
      },
    ]
  }
}
