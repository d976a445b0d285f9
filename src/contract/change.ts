import type { Json } from './json.js'
import type { Pending } from './pending.js'

export type Action = 'create' | 'update' | 'delete' | 'run'

/**
 * One difference that a step would make, as data. `resource` names it the same way in every plan of the step, whatever
 * is still pending: what was shown and what runs are compared by resource and action, then by `after`.
 */
export interface Change {
  readonly resource: string
  readonly action: Action
  readonly before?: Planned
  readonly after?: Planned
  /** Who loses what, where the change takes something from users: "live notebooks on data100 stop". */
  readonly harm?: string
}

/** JSON in which some leaves may still be pending. */
export type Planned = Json | Pending | readonly Planned[] | { readonly [key: string]: Planned | undefined }

/** What `invert` answers for a change that cannot be put back. */
export interface Irreversible {
  readonly resource: string
  readonly irreversible: string
}

/** What `invert` answers for a change that is better left than put back: a safety copy is no harm, and may still be needed. */
export interface Kept {
  readonly resource: string
  readonly kept: string
}

export type Inverse = Change | Irreversible | Kept

export function isIrreversible(inverse: Inverse): inverse is Irreversible {
  return 'irreversible' in inverse
}

export function isKept(inverse: Inverse): inverse is Kept {
  return 'kept' in inverse
}
