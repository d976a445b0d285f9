import type { RunEvent } from '../../src/contract/index.js'
import type { RunningCli } from './cli.js'
import { worldState, worldWhere, type Served, type WorldState } from './served.js'

/** Resolves once a run has come to a certain point. */
export type Arrives = (world: Served, cli: RunningCli) => Promise<unknown>

export const verified = (step: string): Arrives => (_, cli) => cli.until((event: RunEvent) => event.type === 'step.verified' && event.step === step)

/** The world is at work on another operation of that kind than those before. Rejects where the run ends without. */
export const during = (what: string): Arrives => async (world, cli) => {
  const before = (await worldState(world)).operations.length
  let isOver = false
  void cli.ended.then(() => (isOver = true))
  const hasBegun = ({ operations }: WorldState): boolean => operations.slice(before).some((operation) => operation.what === what)
  await worldWhere(world, (state) => hasBegun(state) || isOver)
  if (!hasBegun(await worldState(world))) throw new Error(`it ended without ${what}: ${(await cli.ended).stderr}`)
}
