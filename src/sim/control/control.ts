import { z } from 'zod'
import type { Faults } from '../arm/faults.js'
import type { ArmAnswer } from '../arm/wire.js'
import type { World } from '../world/world.js'
import { stateOf } from './state.js'

const times = z.number().int().positive().default(1)

const loginFaults = [
  z.strictObject({ login: z.enum(['refused', 'restored']), tokens: z.literal('revoked').optional() }),
  z.strictObject({ tokens: z.literal('revoked') }),
] as const

/** The body of `POST /_world/faults`. */
const faultSchema = z.union([
  z.strictObject({ reset: z.literal(true) }),
  z.strictObject({ hostDown: z.string() }),
  z.strictObject({ hostUp: z.string() }),
  ...loginFaults,
  z.strictObject({
    match: z.strictObject({ method: z.string().optional(), path: z.string() }),
    times,
    answer: z
      .strictObject({
        status: z.number().int(),
        code: z.string().optional(),
        message: z.string().optional(),
        headers: z.record(z.string(), z.string()).optional(),
        text: z.string().optional(),
      })
      .optional(),
    drop: z.enum(['before', 'after', 'midway', 'never']).optional(),
    meanwhile: z.union([z.strictObject({ method: z.string(), path: z.string(), body: z.unknown().optional() }), ...loginFaults]).optional(),
  }),
  z.strictObject({
    operation: z.string(),
    times,
    fail: z.strictObject({ code: z.string(), message: z.string().optional() }).optional(),
    durationMs: z.number().nonnegative().optional(),
    because: z.strictObject({ code: z.string(), message: z.string().optional() }).optional(),
  }),
])

export interface ControlOptions {
  readonly world: World
  readonly faults: Faults
  /** Called when the world is told to stop, after the answer is on its way. */
  readonly stop: () => void
}

/** Answers what is below `/_world`: the world's state, its access log, faults to plant, and the end. */
export function makeControl(options: ControlOptions) {
  const { world } = options
  return (method: string, path: string, body: string): ArmAnswer | undefined => {
    const found = /^\/_world\/([a-z]+)$/.exec(path)
    if (!found) return undefined
    const asked = `${method} ${found[1] ?? ''}`
    if (asked === 'GET state') return { status: 200, body: stateOf(world) }
    if (asked === 'GET requests') {
      const lines = world.requests.map((entry) => `${JSON.stringify(entry)}\n`).join('')
      return { status: 200, body: lines, headers: { 'content-type': 'application/x-ndjson' } }
    }
    if (asked === 'POST faults') return plant(options, body)
    if (asked === 'POST stop') {
      options.stop()
      return { status: 202, body: { stopping: true } }
    }
    return { status: 404, body: { error: { code: 'NotFound', message: `The control has no ${asked}.` } } }
  }
}

function plant({ world, faults }: ControlOptions, body: string): ArmAnswer {
  const refused = (message: string): ArmAnswer => ({ status: 400, body: { error: { code: 'BadFault', message } } })
  let given: unknown
  try {
    given = JSON.parse(body)
  } catch {
    return refused('The body is not JSON.')
  }
  const parsed = faultSchema.safeParse(given)
  if (!parsed.success) return refused(z.prettifyError(parsed.error))
  const fault = parsed.data
  if ('reset' in fault) faults.reset()
  else if ('hostDown' in fault || 'hostUp' in fault) {
    const machine = 'hostDown' in fault ? fault.hostDown : fault.hostUp
    const host = world.host(machine)
    if (!host) return refused(`There is no machine ${machine}.`)
    host.answers = 'hostUp' in fault
  } else if ('login' in fault || 'tokens' in fault) faults.plantInLogin(withoutUndefined(fault))
  else if ('match' in fault) faults.plantOnWire(withoutUndefined(fault))
  else faults.plantInOperation(withoutUndefined(fault))
  world.changed()
  return { status: 200, body: { planted: true } }
}

/** Optional fields that are absent, rather than there and undefined. */
function withoutUndefined<T>(value: T): Defined<T> {
  return JSON.parse(JSON.stringify(value)) as Defined<T>
}

type Defined<T> = T extends object ? { [K in keyof T]: Defined<Exclude<T[K], undefined>> } : T
