import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startTestWorld, type Answer, type TestWorld } from '../helpers/world.js'

let world: TestWorld
afterEach(() => world.stop())

const groups = (): Promise<Answer> => world.send('GET', `/subscriptions/${world.subscription}/resourceGroups`)
const plant = (fault: unknown): Promise<Answer> => world.raw('POST', '/_world/faults', JSON.stringify(fault))
const login = (): Promise<Answer> => {
  const { client } = world.arm
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: client.id, client_secret: client.secret })
  return world.raw('POST', `/${world.world.spec.tenant}/oauth2/v2.0/token`, form.toString())
}

describe('a client that logs in once', () => {
  test('is refused when its token has come to its end, and told which kind of refusal it is (A100)', async () => {
    // Whose end it is at once.
    world = await startTestWorld((spec) => ({ ...spec, tokenLifetime: 0 }))
    const answer = await groups()
    expect([answer.status, answer.code]).toEqual([401, 'ExpiredAuthenticationToken'])
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer .*error="invalid_token"/)
    expect((await login()).body).toMatchObject({ expires_in: 0 })
  })
})

describe('a login that is taken back', () => {
  beforeEach(async () => {
    world = await startTestWorld()
  })

  test('leaves the tokens that were given, until they are revoked too (A100)', async () => {
    await plant({ login: 'refused' })
    expect((await groups()).status).toBe(200)
    expect(await login()).toMatchObject({ status: 401, body: { error: 'invalid_client', error_codes: [7000222] } })
    await plant({ tokens: 'revoked' })
    const answer = await groups()
    expect([answer.status, answer.code]).toEqual([401, 'InvalidAuthenticationToken'])
  })

  test('does nothing of what was asked with a revoked token (A100)', async () => {
    const path = `/subscriptions/${world.subscription}/resourceGroups/late`
    await plant({ match: { method: 'PUT', path: '/late$' }, meanwhile: { login: 'refused', tokens: 'revoked' } })
    expect((await world.send('PUT', path, { location: 'westus2' })).status).toBe(401)
    expect(world.world.group('late')).toBeUndefined()
  })

  test('can be given again; the old tokens stay revoked (A100)', async () => {
    await plant({ login: 'refused', tokens: 'revoked' })
    await plant({ login: 'restored' })
    expect((await login()).status).toBe(200)
    expect((await groups()).status).toBe(401)
  })
})
