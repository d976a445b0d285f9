import type { RunEvent } from '../../src/contract/index.js'
import type { RunningCli } from './cli.js'
import { worldState, worldWhere, type Served } from './served.js'

/** Resolves once a run has come to a certain point. */
export type Arrives = (world: Served, cli: RunningCli) => Promise<unknown>

export const verified = (step: string): Arrives => (_, cli) => cli.until((event: RunEvent) => event.type === 'step.verified' && event.step === step)

/** The world is at work on another operation of that kind than those before. */
export const during = (what: string): Arrives => async (world) => {
  const before = (await worldState(world)).operations.length
  await worldWhere(world, ({ operations }) => operations.slice(before).some((operation) => operation.what === what))
}
