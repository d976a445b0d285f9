import type { World } from '../world/world.js'
import { WorldError } from '../world/world.js'
import type { ArmAnswer } from './wire.js'

/** A fault on the wire: the next requests that match are answered so, or lose their connection. */
export interface WireFault {
  readonly match: { readonly method?: string; readonly path: string }
  readonly times: number
  readonly answer?: {
    readonly status: number
    readonly code?: string
    readonly message?: string
    readonly headers?: Record<string, string>
    /** The body as it is, instead of an error of Azure's: a proxy's page, half of a JSON text. */
    readonly text?: string
  }
  /**
   * Drops the connection before the request is looked at, after it has been carried out, or in the middle of the answer's
   * body; `never`: the second half of the body does not come, and the connection stays.
   */
  readonly drop?: 'before' | 'after' | 'midway' | 'never'
  /** What happens right before the request is looked at: another client's request, or a login that is taken back. */
  readonly meanwhile?: OthersRequest | LoginFault
}

export interface OthersRequest {
  readonly method: string
  readonly path: string
  readonly body?: unknown
}

/** What a request meets. */
export interface Met {
  readonly answer?: ArmAnswer
  readonly drop?: WireFault['drop']
  readonly meanwhile?: OthersRequest
  /** Milliseconds of the world by which the request comes later than it was sent. */
  readonly lateMs?: number
  /** Milliseconds of the world by which the answer comes later than it was given. */
  readonly slowMs?: number
}

/** How logins stand: a secret that was taken back, and tokens of which none is believed any more. */
export interface LoginFault {
  readonly login?: 'refused' | 'restored'
  readonly tokens?: 'revoked'
}

/** A fault of an operation: those of this name fail at their end, or take another time. */
export interface OperationFault {
  readonly operation: string
  readonly times: number
  readonly fail?: { readonly code: string; readonly message?: string }
  /** Milliseconds of the world. */
  readonly durationMs?: number
  /** What the activity log tells from its beginning on: why a cluster hangs. */
  readonly because?: { readonly code: string; readonly message?: string }
}

interface Planted<T> {
  readonly fault: T
  left: number
}

/** The faults that are planted in a world now. */
export class Faults {
  #wire: Planted<WireFault>[] = []
  #operations: Planted<OperationFault>[] = []
  /** The client's secret is no longer one. */
  secretRefused = false
  /** Tokens of an earlier series are not believed. */
  tokenSeries = 0
  /** Told of each request but those for a token, before it is looked at; what it answers befalls that one. */
  befall: (method: string, path: string) => Met | undefined = () => undefined

  constructor(readonly world: World) {
    world.tamper.add((operation) => {
      const planted = this.#operations.find((one) => one.left > 0 && one.fault.operation === operation.what)
      if (!planted) return undefined
      planted.left -= 1
      if (planted.fault.durationMs !== undefined) operation.durationMs = planted.fault.durationMs
      const { fail, because } = planted.fault
      if (because !== undefined) operation.because = { code: because.code, message: because.message ?? 'It does not come to its end.' }
      return fail && new WorldError(409, fail.code, fail.message ?? 'The operation failed.')
    })
  }

  plantOnWire(fault: WireFault): void {
    this.#wire.push({ fault, left: fault.times })
  }

  plantInOperation(fault: OperationFault): void {
    this.#operations.push({ fault, left: fault.times })
  }

  plantInLogin({ login, tokens }: LoginFault): void {
    if (login !== undefined) this.secretRefused = login === 'refused'
    if (tokens === 'revoked') this.tokenSeries += 1
  }

  /** Somebody could not log in, or showed a token that is not believed any more. */
  keptOut(by: 'refused' | 'revoked'): void {
    this.world.hindrances.meets('login', by, by === 'refused' ? 'a login' : 'a token')
  }

  /** Takes every fault out; hosts that were silenced answer again, and logins that were refused are let in. */
  reset(): void {
    this.secretRefused = false
    this.#wire = []
    this.#operations = []
    for (const host of this.world.hosts.values()) host.answers = true
  }

  /** The fault that this request meets, if any; uses it up once. */
  take(method: string, path: string): Met | undefined {
    const planted = this.#wire.find(
      ({ fault, left }) =>
        left > 0 &&
        (fault.match.method === undefined || fault.match.method.toUpperCase() === method) &&
        new RegExp(fault.match.path, 'i').test(path),
    )
    if (!planted) return undefined
    planted.left -= 1
    const { answer, drop, meanwhile } = planted.fault
    const request = meanwhile !== undefined && 'path' in meanwhile ? meanwhile : undefined
    if (meanwhile !== undefined && !('path' in meanwhile)) this.plantInLogin(meanwhile)
    return {
      ...(drop === undefined ? {} : { drop }),
      ...(request === undefined ? {} : { meanwhile: request }),
      ...(answer === undefined ? {} : { answer: answerOf(answer) }),
    }
  }
}

function answerOf({ status, code, message, headers, text }: NonNullable<WireFault['answer']>): ArmAnswer {
  const error = { code: code ?? 'InternalServerError', message: message ?? 'A planted fault.' }
  return { status, body: text ?? { error }, headers: headers ?? {} }
}
