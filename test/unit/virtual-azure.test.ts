import { expect, it } from 'vitest'
import { openVirtualAzure } from '../../src/virtual/azure.js'
import { openGate } from '../../src/virtual/gate.js'
import { noTrouble, type Trouble } from '../../src/virtual/trouble.js'
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

it('tells of a look whose answer is lost that nobody has heard it, and of a write that whoever asked has given up', async () => {
  using world = await openData100()
  const { manager } = world.within
  const { tenant, clockAhead, subscription } = world.within.world.spec
  const heard: unknown[] = []
  let lost = false
  const trouble: Trouble = { onRequest: () => (lost ? { kind: 'reply-lost' } : undefined) }
  const way = { gate: { ...openGate, name: 'life 7' }, latencyMs: () => 100, trouble, isAlive: () => true }
  const azure = openVirtualAzure({ manager, clock: world.time, ...way, tenant, clockAhead })
  const { token } = await world.settled(azure.token())
  const headers = { authorization: `Bearer ${token}` }
  const url = `https://azure.test/subscriptions/${subscription}/resourcegroups/late?api-version=2021-04-01`
  world.within.world.onRequest.add(({ method, status, orphaned, life }) => heard.push([method, status, orphaned, life]))
  const ask = (method: string, signal?: AbortSignal): ReturnType<typeof azure.send> =>
    azure.send({ method, url, headers, body: JSON.stringify({ location: 'westus2' }), ...(signal && { signal }) })
  const givenUp = new AbortController()
  const asked = ask('PUT', givenUp.signal)
  givenUp.abort()
  await expect(world.settled(asked)).rejects.toMatchObject({ name: 'AbortError' })
  const begunMs = world.time.nowMs()
  await world.until(() => world.time.nowMs() - begunMs > 30_000)
  await world.settled(ask('PUT'))
  lost = true
  await expect(world.settled(ask('PUT'))).rejects.toMatchObject({ code: 'ECONNRESET' })
  await expect(world.settled(ask('GET'))).rejects.toMatchObject({ code: 'ECONNRESET' })
  expect(heard).toEqual([['PUT', 201, true, 'life 7'], ['PUT', 200, undefined, 'life 7'], ['PUT', 200, undefined, 'life 7'], ['GET', 200, true, 'life 7']])
})

it('a late write breaks at once for whoever asked, and is carried out when it arrives, as one of whom nobody waits for it', async () => {
  using world = await openData100()
  const { manager } = world.within
  const { tenant, clockAhead, subscription } = world.within.world.spec
  const heard: unknown[] = []
  const late = { kind: 'late', ms: 60_000, arrives: () => void heard.push('arrives') } as const
  const trouble: Trouble = { onRequest: (method) => (method === 'PUT' ? late : undefined) }
  const way = { gate: openGate, latencyMs: () => 100, trouble, isAlive: () => true }
  const azure = openVirtualAzure({ manager, clock: world.time, ...way, tenant, clockAhead })
  const { token } = await world.settled(azure.token())
  const headers = { authorization: `Bearer ${token}` }
  const url = `https://azure.test/subscriptions/${subscription}/resourcegroups/late?api-version=2021-04-01`
  world.within.world.onRequest.add(({ method, status, orphaned }) => heard.push([method, status, orphaned]))
  const ask = (method: string): ReturnType<typeof azure.send> => azure.send({ method, url, headers, body: JSON.stringify({ location: 'westus2' }) })
  const begunMs = world.time.nowMs()
  await expect(world.settled(ask('PUT'))).rejects.toMatchObject({ code: 'ECONNRESET' })
  expect(world.time.nowMs() - begunMs).toBe(100)
  await world.settled(ask('GET'))
  await world.until(() => world.time.nowMs() - begunMs > 65_000)
  await world.settled(ask('GET'))
  expect(heard).toEqual([['GET', 404, undefined], 'arrives', ['PUT', 201, true], ['GET', 200, undefined]])
})
