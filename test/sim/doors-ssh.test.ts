import { afterEach, beforeEach, describe } from 'vitest'
import { setTimeout } from 'node:timers/promises'
import { clockOf } from '../../src/platform/clock/clock.js'
import { loadCloud } from '../../src/platform/cloud/load.js'
import type { Cloud } from '../../src/platform/cloud/schema.js'
import { execFor } from '../helpers/doors.js'
import { served, type Served } from '../helpers/served.js'
import { itGoesIntoHosts } from '../helpers/ssh-contract.js'

describe('the real ssh, through a jump host, to a server of the world', () => {
  let at: Served & AsyncDisposable
  let cloud: Cloud
  beforeEach(async () => {
    at = await served()
    cloud = await loadCloud(at.cloudPath)
  })
  afterEach(() => at[Symbol.asyncDispose]())

  itGoesIntoHosts(() => ({
    world: at.world,
    cloud,
    clock: clockOf(cloud),
    execFor: (children) => execFor(children, clockOf(cloud)),
    settled: (work) => work,
    until: async (holds) => {
      while (!holds()) await setTimeout(10)
    },
    kill: (pid) => void process.kill(-pid, 'SIGKILL'),
  }))
})
