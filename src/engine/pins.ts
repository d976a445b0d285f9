import type { PinnedThing } from '../contract/index.js'
import { inputsOf } from './inputs.js'
import { contextFor, moduleOf } from './planner.js'
import type { PlanPorts } from './ports.js'
import { readPolicy, waitAfter, waitOut } from './retry.js'

/**
 * What the steps of a runbook read from afar, as it is now: each once, by name. Throws what a step throws that cannot tell; what may
 * pass is tried again first.
 */
export async function pinsFromAfar<D>(ports: PlanPorts<D>): Promise<readonly PinnedThing[]> {
  const asked = ports.runbook.nodes.map(async (node): Promise<readonly PinnedThing[]> => {
    const module = node.kind === 'step' ? moduleOf(ports, node) : undefined
    if (node.kind !== 'step' || module?.pins === undefined) return []
    const inputs = inputsOf(node, module, ports, new Map())
    const ctx = contextFor(node, ports, new Set())
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await module.pins(inputs, ctx)
      } catch (error) {
        ports.signal.throwIfAborted()
        const wait = waitAfter(error, attempt, readPolicy)
        if (wait === undefined) throw error
        await waitOut(ports.clock, wait, ports.signal)
      }
    }
  })
  const found = new Map((await Promise.all(asked)).flat().map((one) => [one.what, one]))
  return [...found.values()].sort((a, b) => (a.what < b.what ? -1 : 1))
}
