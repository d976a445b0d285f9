import { describe, expect, it } from 'vitest'
import { LifeboatError } from '../../src/contract/index.js'
import { clockOf } from '../../src/platform/clock/clock.js'
import type { HttpAnswer, HttpRequest } from '../../src/platform/http/door.js'
import type { Platform } from '../../src/platform/platform.js'
import { httpCheck } from '../../src/steps/http-check.js'
import { Driven } from '../helpers/steps.js'

const zone = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/dnszones/example.edu'
const certificate = { subject: 'data100.example.edu', issuer: 'Fake CA', validTo: '', trusted: false }

/** The step, in front of a hub that answers this, and name servers that give these addresses. */
function check(inputs: Record<string, unknown>, answer: Partial<HttpAnswer> = {}, addresses: Record<string, string[]> = {}) {
  const asked: HttpRequest[] = []
  const doors = {
    http: { get: async (request: HttpRequest) => (asked.push(request), { status: 200, body: 'Sign in', certificate, ...answer }) },
    azure: { zones: { nameServers: async () => Object.keys(addresses) } },
    dns: { ask: async (server: string) => ({ values: addresses[server] ?? [], ttlSeconds: 60 }) },
  } as unknown as Platform
  const wanted = { host: 'data100.example.edu', path: '/hub/login', tls: 'any', ...inputs }
  return { step: new Driven(httpCheck, doors, clockOf({}), wanted), asked }
}

describe('http/check', () => {
  it('is content with the wanted answer from the given address, and remarks which certificate it saw', async () => {
    const { step, asked } = check({ address: '203.0.113.1' })
    expect(await step.see()).toMatchObject({
      state: 'converged',
      outputs: { address: '203.0.113.1', status: 200, certificate: 'for data100.example.edu by Fake CA, which is not trusted' },
    })
    expect(asked).toMatchObject([{ host: 'data100.example.edu', address: '203.0.113.1', path: '/hub/login', tls: 'any' }])
    expect(step.module.check).toBe(true)
    expect(await step.plan()).toEqual([])
  })

  it.each([
    ['another status', { address: '203.0.113.1' }, { status: 503, body: 'no\u001b[31m hub' }, /503, not 200: no \[31m hub/],
    ['a page without the text', { address: '203.0.113.1', contains: 'Sign in with' }, {}, /without “Sign in with”/],
  ])('does not know yet while it sees %s', async (_, inputs, answer, why) => {
    const seen = await check(inputs, answer).step.see()
    expect(seen.state).toBe('unknown')
    expect(seen.state === 'unknown' ? seen.why : '').toMatch(why)
  })

  it('goes where all name servers of the zone lead', async () => {
    const { step, asked } = check({ zone }, {}, { ns1: ['203.0.113.7'], ns2: ['203.0.113.7'] })
    expect((await step.see()).state).toBe('converged')
    expect(asked[0]?.address).toBe('203.0.113.7')
  })

  it.each([
    ['differ', { ns1: ['203.0.113.7'], ns2: ['203.0.113.8'] }],
    ['have no address', { ns1: [], ns2: [] }],
    ['are not known', {}],
  ])('asks no hub while the name servers %s', async (_, addresses: Record<string, string[]>) => {
    const { step, asked } = check({ zone }, {}, addresses)
    const failure = await step.see().catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(LifeboatError)
    expect(failure).toMatchObject({ code: 'http.no-address', retry: {} })
    expect(asked).toEqual([])
  })

  it.each([{}, { address: '203.0.113.1', zone }])('needs an address or a zone, and not both: %j', (inputs) => {
    expect(() => check(inputs)).toThrow(/address/)
  })
})
