import { afterAll, beforeEach, describe } from 'vitest'
import { clockOf } from '../../src/platform/clock/clock.js'
import { loadCloud } from '../../src/platform/cloud/load.js'
import { openDns } from '../../src/platform/dns/resolver.js'
import { openHttp } from '../../src/platform/http/client.js'
import { itAsksTheEdge, type EdgeUnderTest } from '../helpers/edge-contract.js'
import { served, type Served } from '../helpers/served.js'

describe('name servers and hubs over sockets', () => {
  const open: (Served & AsyncDisposable)[] = []
  let edge: EdgeUnderTest
  beforeEach(async () => {
    const at = await served()
    open.push(at)
    const { reach, ...cloud } = await loadCloud(at.cloudPath)
    const clock = clockOf(cloud)
    edge = {
      world: at.world,
      // A silent name server is waited for, and nothing else.
      dns: openDns(reach.nameServers, { timeoutMs: 500 }),
      http: openHttp({ clock, ...(reach.httpsProxy === undefined ? {} : { httpsProxy: reach.httpsProxy }) }),
      settled: (work) => work,
    }
  })
  afterAll(() => Promise.all(open.map((at) => at[Symbol.asyncDispose]())))

  itAsksTheEdge(() => edge)
})
