import { mkdtempSync, readFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { RunEvent } from '../../src/contract/index.js'
import { RealStage } from '../../src/cli/gameday/real-stage.js'
import { Wire, type NamedTrouble } from '../../src/cli/gameday/wire.js'
import type { ServedWorld } from '../../src/sim/serve.js'
import { groupId } from '../../src/sim/world/ids.js'
import { readWorldSpec } from '../../src/sim/world/load.js'
import { data100, root, temporaryFolder } from '../helpers/cli.js'
import { data100World } from '../helpers/world.js'

let stage: RealStage
let wire: Wire
const over = new AbortController()
const world = (): ServedWorld => stage.parts

beforeEach(async () => {
  wire = new Wire()
  const env = { PATH: process.env['PATH'] ?? '', TMPDIR: temporaryFolder(), HOME: mkdtempSync(join(temporaryFolder(), 'home-')) }
  const spec = await readWorldSpec(data100World)
  stage = await RealStage.open({ runbook: { name: 'data100' }, spec, speed: 600, wire, env, self: join(root, 'dist/main.js'), signal: over.signal })
})
afterEach(() => stage.close())

/** The next request meets this; answers what has met it. */
function plant(trouble: NamedTrouble): string[] {
  const struck: string[] = []
  wire.plant({ fits: () => true, times: 1, trouble, struck: (what) => struck.push(what) })
  return struck
}

/** Makes a group by a plain request, as a client without patience: nothing is tried again. */
function putGroup(name: string): Promise<{ readonly status: number; readonly retryAfterMs: string | undefined }> {
  const { control, caPath, manager, world: { spec } } = world()
  const url = new URL(`${groupId(spec.subscription, name)}?api-version=2021-04-01`, control)
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: manager.client.id, client_secret: manager.client.secret })
  const send = (to: URL, method: string, headers: Record<string, string>, body: string) =>
    new Promise<{ readonly status: number; readonly headers: NodeJS.Dict<string | string[]>; readonly text: string }>((resolve, reject) => {
      const call = request(to, { method, headers, ca: readFileSync(caPath), agent: false }, (answer) => {
        let text = ''
        answer.on('data', (part: Buffer) => (text += part.toString())).on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }))
      })
      call.on('error', reject).end(body)
    })
  return send(new URL(`/${spec.tenant}/oauth2/v2.0/token`, control), 'POST', {}, form.toString()).then(async ({ text }) => {
    const authorization = `Bearer ${(JSON.parse(text) as { readonly access_token: string }).access_token}`
    const { status, headers } = await send(url, 'PUT', { authorization, 'content-type': 'application/json' }, '{"location":"westus2"}')
    return { status, retryAfterMs: headers['x-ms-retry-after-ms'] as string | undefined }
  })
}

describe('a game day for real: a fault on the way to Azure', () => {
  test('refuses a request before it is looked at, and says when to come again', async () => {
    const struck = plant({ kind: 'refused', status: 429, code: 'TooManyRequests', retryAfterMs: 250 })
    expect(await putGroup('refused')).toEqual({ status: 429, retryAfterMs: '250' })
    expect([world().world.group('refused'), struck]).toEqual([undefined, ['PUT resourceGroups/refused']])
    expect(await putGroup('refused')).toMatchObject({ status: 201 })
  })

  test('breaks a connection before or after the request is carried out', async () => {
    plant({ kind: 'reset' })
    await expect(putGroup('reset')).rejects.toThrow()
    expect(world().world.group('reset')).toBeUndefined()
    plant({ kind: 'reply-lost' })
    await expect(putGroup('lost')).rejects.toThrow()
    expect(world().world.group('lost')).toBeDefined()
  })

  test('lets a request come late, by the world’s clock', async () => {
    // A second of the machine: more than the request takes by itself.
    const lateMs = 600_000
    const struck = plant({ kind: 'slow', ms: lateMs })
    const beganMs = world().world.clock.nowMs()
    expect(await putGroup('late')).toMatchObject({ status: 201 })
    expect(world().world.clock.nowMs() - beganMs).toBeGreaterThanOrEqual(lateMs)
    expect(struck).toEqual(['PUT resourceGroups/late'])
  })

  test('befalls no login: those are counted by nobody', async () => {
    await putGroup('counted')
    expect(wire.calls.map(({ method }) => method)).toEqual(['PUT'])
  })
})

describe('a game day for real: a command', () => {
  test('is the program as a process, with what it says and its exit code', async () => {
    const { code, stdout, stderr } = await stage.type(['runs'], 'operator', {}).lived
    expect([code, stdout + stderr]).toEqual([0, expect.stringContaining('run')])
    expect(await stage.type(['resume'], 'operator', {}).lived).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no unfinished run') as string })
  })

  test('stands still at each event until it was heard, and is not heard of again once it is killed', async () => {
    const heard: string[] = []
    const words = ['run', data100, '--cloud', world().cloudPath, '--confirm=data100', '--yes', '--no-input', '--json']
    const life = stage.type(words, 'operator', {
      heard: ({ type }) => {
        heard.push(type)
        if (type !== 'step.intent') return
        // Long enough for one that does not stand still to go on.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
        life.kill()
      },
    })
    const { code, stdout } = await life.lived
    expect(code).toBe('killed')
    // What it prints it prints before it tells it (but for notices, which nobody waits for): there is nothing more.
    const printed = stdout.trim().split('\n').map((line) => (JSON.parse(line) as RunEvent).type)
    expect(printed.filter((type) => type !== 'notice')).toEqual(heard.filter((type) => type !== 'notice'))
    expect([heard.at(-1), heard.filter((type) => type === 'step.intent')]).toEqual(['step.intent', ['step.intent']])
    // The intent is synced, and nothing of it was sent: the process has ended at that very event.
    expect(stage.openIntents).toBe(1)
    expect(wire.calls.filter(({ method, path }) => method === 'PUT' && !path.includes('/tags/'))).toEqual([])
    expect(stage.atWork()).toBe(0)
  })
})
