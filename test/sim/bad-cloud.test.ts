import { describe, expect, it } from 'vitest'
import type { EventOf, RunEvent } from '../../src/contract/index.js'
import { data100, temporaryFolder } from '../helpers/cli.js'
import { lifeboatHere } from '../helpers/cli-here.js'
import { plant, served, worldRequests, worldState, type Served } from '../helpers/served.js'
import { groupSteps, resumeSmall, runSmall, smallRunbook, subscription, zone, type Small } from '../helpers/small.js'
import { cloudFile, worldFile } from '../helpers/worlds.js'

const small = (world: Served, steps: string): Small => ({ world, runbook: smallRunbook(steps), state: temporaryFolder() })
const groupPath = (name: string): string => `/subscriptions/${subscription}/resourceGroups/${name}`
const putOf = (name: string): { method: string; path: string } => ({ method: 'PUT', path: `/resourceGroups/${name}$` })
const exists = (world: Served, name: string): boolean => world.world.group(name) !== undefined
const failures = (events: readonly RunEvent[]): EventOf<'step.failed'>[] => events.filter((event) => event.type === 'step.failed')
const retries = (events: readonly RunEvent[]): EventOf<'step.retrying'>[] => events.filter((event) => event.type === 'step.retrying')
const text = (part: string): unknown => expect.stringContaining(part)

describe('a first look around', () => {
  it('with a login that does not work and a key that nothing names tells each once, for all steps, and calls no harm or return known', async () => {
    await using world = await served()
    await plant(world, { login: 'refused', tokens: 'revoked' })
    const cloud = cloudFile(world.cloudPath, (file) => void (file.env = {}))
    const { code, stdout } = await lifeboatHere(['plan', data100, '--cloud', cloud])
    expect(code).toBe(4)
    expect(stdout.match(/the login does not work/g)).toHaveLength(1)
    expect(stdout.match(/LIFEBOAT_SSH_KEY is not set/g)).toHaveLength(1)
    expect(stdout).toContain('Readiness: 2 things stop it')
    expect(stdout).toMatch(/^First harm: cannot be told while \d+ steps cannot be planned\nPoint of no return: cannot be told while/m)
  })
})

describe('a login in mid-run', () => {
  it('that is taken back stops the run, which says to log in again and goes on when that is mended', async () => {
    await using world = await served()
    const stage = small(world, groupSteps('first', 'second', 'third'))
    await plant(world, { match: putOf('second'), meanwhile: { login: 'refused', tokens: 'revoked' } })
    const run = runSmall(stage)
    const { code, stderr } = await run.ended
    expect(code, stderr).toBe(1)
    expect(failures(run.events)).toMatchObject([{ step: 'second', error: { code: 'azure.login', hint: text('Log in again (az login)') } }])
    expect(run.events.at(-1)).toMatchObject({ type: 'run.finished', outcome: 'failed', next: text('lifeboat resume') })
    expect([exists(world, 'first'), exists(world, 'second')]).toEqual([true, false])
    // Nobody knocks for ever at a door that stays shut.
    expect((await worldRequests(world)).filter(({ status }) => status === 401).length).toBeLessThan(10)

    await plant(world, { login: 'restored' })
    const resumed = resumeSmall(stage)
    expect((await resumed.ended).code, (await resumed.ended).stderr).toBe(0)
    expect(['first', 'second', 'third'].map((name) => exists(world, name))).toEqual([true, true, true])
  })

  it('is renewed as often as its tokens come to their end', async () => {
    await using world = await served(worldFile((spec) => void (spec.tokenLifetime = '2s')))
    const run = runSmall(small(world, groupSteps('first', 'second', 'third')))
    expect((await run.ended).code, (await run.ended).stderr).toBe(0)
    const logins = (await worldRequests(world)).filter(({ method, path }) => method === 'POST' && path.endsWith('/token'))
    expect(logins.length).toBeGreaterThan(1)
  })
})

describe('a refusal in mid-run', () => {
  it('that asks for patience gets it, by its own clock: milliseconds first, else seconds', async () => {
    await using world = await served()
    const busy = (headers: Record<string, string>): object => ({ status: 429, code: 'TooManyRequests', headers })
    await plant(world, { match: putOf('first'), answer: busy({ 'x-ms-retry-after-ms': '150', 'retry-after': '7' }) })
    await plant(world, { match: putOf('first'), answer: busy({ 'retry-after': '1' }) })
    const run = runSmall(small(world, groupSteps('first')))
    expect((await run.ended).code, (await run.ended).stderr).toBe(0)
    expect(retries(run.events)).toMatchObject([
      { inMs: 150, error: { code: 'azure.busy' } },
      { inMs: 1000, error: { code: 'azure.busy' } },
    ])
  })

  it('by a lock that somebody has set stops the run with the command that takes it away', async () => {
    await using world = await served()
    const lock = `${groupPath('first')}/providers/Microsoft.Authorization/locks/freeze`
    const network = 'resourceGroup: first, location: westus2, name: n, addressSpace: [10.9.0.0/16], subnets: { a: 10.9.0.0/24 }'
    const stage = small(world, `${groupSteps('first')}  - { id: network, uses: azure/network, needs: [first], with: { ${network} } }\n`)
    const freeze = { method: 'PUT', path: lock, body: { properties: { level: 'ReadOnly' } } }
    await plant(world, { match: { method: 'PUT', path: '/resourceGroups/first/providers/' }, meanwhile: freeze })
    const run = runSmall(stage)
    expect((await run.ended).code, (await run.ended).stderr).toBe(1)
    expect(failures(run.events)).toMatchObject([{ step: 'network', error: { code: 'azure.locked', hint: text(`az lock delete --ids ${lock}`) } }])
    expect(retries(run.events)).toEqual([])

    await plant(world, { match: { method: 'GET', path: '/resourceGroups/first' }, meanwhile: { method: 'DELETE', path: lock } })
    const resumed = resumeSmall(stage)
    expect((await resumed.ended).code, (await resumed.ended).stderr).toBe(0)
  })

  it('because somebody else wrote the record first is told, and looked at again before it is written', async () => {
    await using world = await served()
    const record = `{ zone: ${zone}, name: data100, type: A, ttl: 60s, values: [203.0.113.77] }`
    const others = { method: 'PUT', path: `${zone}/A/data100`, body: { properties: { TTL: 60, ARecords: [{ ipv4Address: '198.51.100.99' }] } } }
    await plant(world, { match: { method: 'PUT', path: '/A/data100$' }, meanwhile: others })
    const run = runSmall(small(world, `  - { id: record, uses: azure/dns-record, with: ${record} }\n`))
    expect((await run.ended).code, (await run.ended).stderr).toBe(0)
    expect(retries(run.events)).toMatchObject([{ error: { code: 'azure.etag', hint: text('Somebody else has changed it') } }])
    const intents = run.events.filter((event) => event.type === 'step.intent')
    expect(intents.map(({ changes }) => changes[0]?.before)).toEqual([{ values: ['198.51.100.11'] }, { values: ['198.51.100.99'] }])
    expect((await worldState(world)).recordSets.find(({ name }) => name === 'data100')?.values).toEqual(['203.0.113.77'])
  })
})
