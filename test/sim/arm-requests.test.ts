import { ResourceManagementClient } from '@azure/arm-resources'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { clusterType, machineType, oldDisks, oldGroup, startTestWorld, type TestWorld } from '../helpers/world.js'

let world: TestWorld
beforeEach(async () => {
  world = await startTestWorld()
})
afterEach(() => world.stop())

describe('requests to the resource manager', () => {
  test('match without regard to case, with empty segments, at any api-version (A6)', async () => {
    const id = world.id('data100-19s', clusterType, 'data100-19s')
    const plain = await world.send('GET', id)
    const odd = await world.send('GET', `/${id.toUpperCase().replace('/PROVIDERS/', '/providers//')}?API-VERSION=1999-01-01&api-version=x`)
    expect(plain.status).toBe(200)
    expect(odd.body['id']).toBe(plain.body['id'])
  })

  test('without an api-version are refused (A6)', async () => {
    const login = await world.sdk().credential.getToken(`${world.arm.origin}/.default`)
    const answer = await world.raw('GET', '/subscriptions', undefined, { authorization: `Bearer ${login.token}` })
    expect([answer.status, answer.code]).toEqual([400, 'MissingApiVersionParameter'])
  })

  test('for a list are always answered with a value (A6)', async () => {
    world.addGroup('empty')
    for (const path of [world.id('empty', machineType, '').slice(0, -1), `/subscriptions/${world.subscription}/resourceGroups/empty/resources`]) {
      expect((await world.send('GET', path)).body['value']).toEqual([])
    }
  })

  test('are 404 with a code that says what is missing: subscription, group, resource', async () => {
    const codes = [
      await world.send('GET', '/subscriptions/other/resourceGroups/x'),
      await world.send('GET', `/subscriptions/${world.subscription}/resourceGroups/none`),
      await world.send('GET', world.id('data100-19s', machineType, 'none')),
    ]
    expect(codes.map(({ status, code }) => [status, code])).toEqual([
      [404, 'SubscriptionNotFound'],
      [404, 'ResourceGroupNotFound'],
      [404, 'ResourceNotFound'],
    ])
  })

  test('with a body that is no JSON are 400', async () => {
    const answer = await world.send('PUT', `/subscriptions/${world.subscription}/resourceGroups/x`)
    expect([answer.status, answer.code]).toEqual([400, 'LocationRequired'])
    const { token } = await world.sdk().credential.getToken('x/.default')
    const path = `/subscriptions/${world.subscription}/resourceGroups/x?api-version=1`
    const broken = await world.raw('PUT', path, '{', { authorization: `Bearer ${token}` })
    expect([broken.status, broken.code]).toEqual([400, 'InvalidRequestContent'])
  })
})

describe('tokens', () => {
  test('are needed for everything, and given for the right secret only (A7)', async () => {
    const answer = await world.raw('GET', '/subscriptions?api-version=1')
    expect([answer.status, answer.code]).toEqual([401, 'AuthenticationFailed'])
    expect((await world.raw('GET', '/subscriptions?api-version=1', undefined, { authorization: 'Bearer made-up' })).status).toBe(401)
    const wrong = new URLSearchParams({ client_id: world.arm.client.id, client_secret: 'guessed' }).toString()
    const refused = await world.raw('POST', `/${world.world.spec.tenant}/oauth2/v2.0/token`, wrong)
    expect([refused.status, refused.body['error']]).toEqual([401, 'invalid_client'])
  })

  test('are had by the real credential, and under /adfs as az asks (A7)', async () => {
    const { credential, options } = world.sdk()
    const names: string[] = []
    for await (const group of new ResourceManagementClient(credential, world.subscription, options).resourceGroups.list()) {
      names.push(group.name ?? '')
    }
    expect(names).toContain(oldGroup)
    const metadata = await world.raw('GET', '/adfs/.well-known/openid-configuration')
    const endpoint = new URL(String(metadata.body['token_endpoint']))
    expect(endpoint.pathname).toBe('/adfs/oauth2/token')
    const { id, secret } = world.arm.client
    const form = new URLSearchParams({ client_id: id, client_secret: secret, grant_type: 'client_credentials' }).toString()
    const token = String((await world.raw('POST', endpoint.pathname, form)).body['access_token'])
    const answer = await world.raw('GET', '/subscriptions?api-version=1', undefined, { authorization: `Bearer ${token}` })
    expect(answer.body['value']).toMatchObject([{ subscriptionId: world.subscription, state: 'Enabled', tenantId: world.world.spec.tenant }])
  })
})

describe('the access log', () => {
  test('knows what would change something, refused or not (A8)', async () => {
    const cluster = world.id('data100-19s', clusterType, 'data100-19s')
    const machine = world.id(oldGroup, machineType, 'nfsserver')
    const before = world.world.requests.length
    await world.send('GET', cluster)
    await world.send('POST', `${cluster}/listClusterUserCredential`)
    await world.send('POST', `/subscriptions/${world.subscription}/providers/Microsoft.PolicyInsights/checkPolicyRestrictions`, {})
    await world.send('POST', `${machine}/runCommand`, { commandId: 'RunShellScript', script: ['cat /etc/hostname'] })
    await world.send('POST', `${machine}/runCommand`, { commandId: 'RunShellScript', script: ['zpool export pool0'] })
    const disks = { resources: oldDisks(world), targetResourceGroup: world.addGroup('t') }
    await world.send('POST', `/subscriptions/${world.subscription}/resourceGroups/${oldGroup}/validateMoveResources`, disks)
    await world.send('DELETE', world.id('datahub-dns', 'Microsoft.Network/dnszones', 'none'))
    expect(world.world.requests.slice(before).map((entry) => entry.writes)).toEqual([false, false, false, false, true, true, true])
    expect(world.world.requests.every((entry) => entry.door === 'arm' || entry.door === 'token')).toBe(true)
  })

  test('shows a script by its text when it runs, and holds no secret', async () => {
    const machine = world.id(oldGroup, machineType, 'nfsserver')
    await world.send('POST', `${machine}/runCommand`, { commandId: 'RunShellScript', script: ['echo hello'] })
    world.clock.advance(world.world.durationOf('runCommand'))
    // Its agent is asked first.
    await Promise.resolve()
    expect(world.world.requests.at(-1)).toMatchObject({ door: 'runCommand', method: 'EXEC', path: 'echo hello', writes: false })
    expect(JSON.stringify(world.world.requests)).not.toContain(world.arm.client.secret)
  })
})

describe('what a preflight reads', () => {
  test('is there at every scope: permissions, locks, role assignments, names', async () => {
    const network = world.id(oldGroup, 'Microsoft.Network/virtualNetworks', 'aks-vnet')
    const scopes = [`/subscriptions/${world.subscription}`, `/subscriptions/${world.subscription}/resourceGroups/${oldGroup}`, network]
    await world.send('PUT', `${network}/providers/Microsoft.Authorization/locks/keep`, { properties: { level: 'CanNotDelete' } })
    for (const scope of scopes) {
      const at = (what: string) => world.send('GET', `${scope}/providers/Microsoft.Authorization/${what}`)
      expect((await at('permissions')).body['value']).toMatchObject([{ actions: ['*'] }])
      expect((await at('locks')).body['value']).toMatchObject([{ name: 'keep', properties: { level: 'CanNotDelete' } }])
      expect((await at('roleAssignments')).body['value']).toEqual([])
    }
    const name = await world.send('POST', `/subscriptions/${world.subscription}/providers/Microsoft.Storage/checkNameAvailability`, { name: 'x' })
    expect([name.body, world.world.requests.at(-1)?.writes]).toEqual([{ nameAvailable: true }, false])
  })
})
