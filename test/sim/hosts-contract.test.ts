import { describe } from 'vitest'
import { runOnHost } from '../../src/sim/hosts/shell.js'
import { virtualClock, type VirtualClock } from '../../src/sim/world/clock.js'
import { itAnswersAsHostsDo, type HostUnderTest } from '../helpers/host-contract.js'
import { makeData100, only } from '../helpers/hosts.js'

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A simulated host whose time passes as soon as something waits. */
function simulated(): HostUnderTest {
  let clock: VirtualClock | undefined
  const world = makeData100((epochMs) => (clock = virtualClock(epochMs)))
  const host = only(world.hosts.values())
  return {
    async run(line, input = '') {
      const result = runOnHost(world, host, { user: host.user, stdin: () => Promise.resolve(input) }, line)
      for (let step = 0; step < 4; step += 1) {
        await settle()
        clock?.advance(60_000)
      }
      return result
    },
  }
}

describe('a simulated host', () => {
  const host = simulated()
  itAnswersAsHostsDo(() => host)
})
