import { afterEach, beforeEach, describe } from 'vitest'
import { openVirtualDns } from '../../src/virtual/dns.js'
import { openGate } from '../../src/virtual/gate.js'
import { openVirtualHttp } from '../../src/virtual/http.js'
import { itAsksTheEdge } from '../helpers/edge-contract.js'
import { openData100, type Within } from '../helpers/within.js'

describe('name servers and hubs within this process', () => {
  let at: Within
  beforeEach(async () => {
    at = await openData100()
  })
  afterEach(() => at[Symbol.dispose]())

  itAsksTheEdge(() => {
    const { world, hubs } = at.within
    return {
      world,
      dns: openVirtualDns({ world, gate: openGate }),
      http: openVirtualHttp({ world, hubs, gate: openGate, clock: at.clock }),
      settled: at.settled,
    }
  })
})
