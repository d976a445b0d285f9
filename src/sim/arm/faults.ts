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
  }
  /** Drops the connection before the request is looked at, or after it has been carried out. */
  readonly drop?: 'before' | 'after'
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

  /** Takes every fault out; hosts that were silenced answer again. */
  reset(): void {
    this.#wire = []
    this.#operations = []
    for (const host of this.world.hosts.values()) host.answers = true
  }

  /** The fault that this request meets, if any; uses it up once. */
  take(method: string, path: string): { answer?: ArmAnswer; drop?: 'before' | 'after' } | undefined {
    const planted = this.#wire.find(
      ({ fault, left }) =>
        left > 0 &&
        (fault.match.method === undefined || fault.match.method.toUpperCase() === method) &&
        new RegExp(fault.match.path, 'i').test(path),
    )
    if (!planted) return undefined
    planted.left -= 1
    const { answer, drop } = planted.fault
    return {
      ...(drop === undefined ? {} : { drop }),
      ...(answer === undefined
        ? {}
        : {
            answer: {
              status: answer.status,
              body: { error: { code: answer.code ?? 'InternalServerError', message: answer.message ?? 'A planted fault.' } },
              headers: answer.headers ?? {},
            },
          }),
    }
  }
}
