import { expect, it } from 'vitest'
import { openVirtualAzure } from '../../src/virtual/azure.js'
import { openGate } from '../../src/virtual/gate.js'
import { noTrouble } from '../../src/virtual/trouble.js'
import { openData100 } from '../helpers/within.js'

it('a login that was taken back is told as the SDKs tell it, and not as a network that is down', async () => {
  using world = await openData100()
  const { manager, faults } = world.within
  const { tenant, clockAhead } = world.within.world.spec
  const quiet = { gate: openGate, latencyMs: () => 1, trouble: noTrouble, isAlive: () => true }
  const azure = openVirtualAzure({ manager, clock: world.time, ...quiet, tenant, clockAhead })
  expect((await azure.token()).token).not.toBe('')
  faults.plantInLogin({ login: 'refused' })
  await expect(azure.token()).rejects.toMatchObject({ name: 'AuthenticationError', message: expect.stringContaining('AADSTS7000222') as string })
})
