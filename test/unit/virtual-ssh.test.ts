import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sshModel } from '../../src/virtual/programs/ssh.js'
import { itGoesIntoHosts } from '../helpers/ssh-contract.js'
import { openData100, type Within } from '../helpers/within.js'

describe('the model of ssh, in virtual time', () => {
  let at: Within
  beforeEach(async () => {
    at = await openData100()
  })
  afterEach(() => at[Symbol.dispose]())

  itGoesIntoHosts(() => {
    const { world, ways } = at.within
    const programs = { ssh: sshModel({ world, ways }) }
    return {
      world,
      cloud: at.cloud,
      clock: at.clock,
      execFor: (children) => at.execWith(programs, children),
      settled: at.settled,
      until: at.until,
      kill: (pid) => at.machine.signalGroup(pid, 'SIGKILL'),
    }
  })

  it('finds the same keys in each such world, so that what is told of them is the same', async () => {
    using other = await openData100()
    const keysOf = ({ within: { world, ways } }: Within): unknown =>
      [[...world.keys], [...world.hosts.values()].map(({ hostKey }) => hostKey), ways.ssh]
    expect(keysOf(other)).toEqual(keysOf(at))
  })
})
