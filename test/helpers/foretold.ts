import { isDeepStrictEqual } from 'node:util'
import { sayWrite, type Change, type Write } from '../../src/contract/index.js'
import { matched } from '../../src/engine/fidelity.js'
import { asWorldSees, once } from './world-writes.js'

type Inputs = Record<string, unknown>

interface Foretelling {
  readonly module: { writes?(changes: readonly Change[], inputs: Inputs): readonly Write[] }
  /** What the world has seen so far. */
  readonly sent: () => readonly Write[]
}

/** What would fit everything foretells nothing: the type of a resource is always known, and an action. */
function isSpecific(write: Write): boolean {
  if ('command' in write) return true
  const { path, method } = write
  return /^(PUT|PATCH|POST|DELETE)$/.test(method) && /^(resourceGroups|\*)\/.*\/?providers\/[\w.]+\/\w+\/|^resourceGroups\/[^/]+(\/\w+)?$/i.test(path)
}

/** Holds what the world sees of one `apply` after another against what the module predicts of them. */
export class Foretold {
  readonly #at: Foretelling
  /** Of tries that have failed, whose writes the next one need not send again. */
  #predicted: readonly Write[] = []
  #sent: readonly Write[] = []

  constructor(at: Foretelling) {
    this.#at = at
  }

  /** Throws for a module that predicts otherwise of what has been through JSON. */
  predictionOf(changes: readonly Change[], inputs: Inputs): readonly Write[] {
    const { module } = this.#at
    const writes = module.writes?.(changes, inputs) ?? []
    const again = module.writes?.(JSON.parse(JSON.stringify(changes)) as readonly Change[], inputs) ?? []
    if (!isDeepStrictEqual(writes, again)) throw new TypeError('writes depends on what JSON does not keep')
    for (const write of writes) if (!isSpecific(write)) throw new TypeError(`${sayWrite(write)} does not say of what type`)
    return writes
  }

  /** Makes these changes by `apply`; `tell` is told of each write that is sent or predicted alone. */
  async during(changes: readonly Change[], inputs: Inputs, apply: () => Promise<void>, tell: (what: string) => void): Promise<void> {
    const before = this.#at.sent().length
    this.#predicted = [...this.#predicted, ...this.predictionOf(changes, inputs)]
    await apply().catch((error: unknown) => {
      this.#compare(before, tell)
      throw error
    })
    for (const write of this.#compare(before, tell)) tell(`does not send ${sayWrite(write)}, which it predicts`)
    this.#predicted = []
    this.#sent = []
  }

  #compare(before: number, tell: (what: string) => void): readonly Write[] {
    if (this.#at.module.writes === undefined) return []
    this.#sent = [...this.#sent, ...this.#at.sent().slice(before)]
    const { missing, unpredicted } = matched(this.#predicted.map(asWorldSees), once(this.#sent).map((write) => ({ write })))
    for (const { write } of unpredicted) tell(`sends ${sayWrite(write)}, which it does not predict`)
    return missing
  }
}
