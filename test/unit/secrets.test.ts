import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { anyStep, LifeboatError, Pending } from '../../src/contract/index.js'
import { secret, type SecretReference } from '../../src/contract/inputs.js'
import { digestKey } from '../../src/cli/state.js'
import { inputsOf } from '../../src/engine/inputs.js'
import { openSecrets } from '../../src/platform/secrets/secrets.js'
import { mapSecrets } from '../../src/runbook/index.js'
import { tempFolder } from '../helpers/temp-folder.js'

const key = () => Buffer.from('a key')
const failure = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    return error instanceof LifeboatError ? error.code : String(error)
  }
  return 'none'
}

describe('the digest of a secret', () => {
  it('is the same for the same value and key, another for another of either, and tells nothing of the value', () => {
    const digest = (value: string, of = 'a key') => openSecrets({ cloud: {}, folder: '/', env: { A: value } }, () => Buffer.from(of)).digest({ env: 'A' })
    expect(digest('hush')).toBe(digest('hush'))
    expect(new Set([digest('hush'), digest('hush!'), digest('hush', 'another')]).size).toBe(3)
    expect(digest('hush')).toMatch(/^keyed:[0-9a-f]{16}$/)
  })

  it('is looked up where env is: in the cloud file’s section where there is one, and then nowhere else', () => {
    const folder = tempFolder()
    writeFileSync(join(folder, 'token'), 'of a file\n')
    const cloud = { env: { PLAIN: 'of the cloud', BY_FILE: { file: join(folder, 'token') }, BY_ENV: { env: 'MINE' } } }
    const store = openSecrets({ cloud, folder, env: { MINE: 'of the process', PLAIN: 'not this one' } }, key)
    const values = [{ env: 'PLAIN' }, { env: 'BY_FILE' }, { env: 'BY_ENV' }, { file: 'token' }].map((one) => store.read(one).reveal())
    expect(values).toEqual(['of the cloud', 'of a file', 'of the process', 'of a file'])
    expect([failure(() => store.read({ env: 'MINE' })), failure(() => store.read({ file: 'none' }))]).toEqual(['cloud.reference', 'cloud.reference'])
  })

  it('holds a value to what was planned: another one is not handed out', () => {
    const env: Record<string, string> = { A: 'one' }
    const store = openSecrets({ cloud: {}, folder: '/', env }, key)
    const planned = { env: 'A', digest: store.digest({ env: 'A' }) }
    expect(store.read(planned).reveal()).toBe('one')
    env['A'] = 'two'
    expect(failure(() => store.read(planned))).toBe('secret.changed')
  })
})

describe('the key of the digests', () => {
  it('is made once for a state folder, for its owner only', () => {
    const folder = tempFolder()
    const made = digestKey(folder)()
    expect(digestKey(folder)()).toEqual(made)
    expect(statSync(join(folder, 'digest.key')).mode & 0o777).toBe(0o600)
    expect(digestKey(tempFolder())()).not.toEqual(made)
  })

  it('is not made before a secret is asked for, nor over what is there and is none', () => {
    const folder = tempFolder()
    digestKey(folder)
    expect(() => statSync(join(folder, 'digest.key'))).toThrow()
    writeFileSync(join(folder, 'digest.key'), 'short')
    expect(failure(digestKey(folder))).toBe('state.key')
    expect(readFileSync(join(folder, 'digest.key'), 'utf8')).toBe('short')
  })

  it('says where it cannot be made', () => {
    const file = join(tempFolder(), 'file')
    writeFileSync(file, '')
    expect(failure(digestKey(join(file, 'state')))).toBe('state.key')
  })
})

describe('an input that is a secret', () => {
  const inputs = z.strictObject({
    plain: z.record(z.string(), z.unknown()).default({}),
    secrets: z.record(z.string(), secret).default({}),
    list: z.array(z.strictObject({ secret }).or(z.string())).default([]),
    login: z.strictObject({ user: z.string(), password: secret }).optional(),
  })

  it('is found wherever the schema says so, and nowhere else', () => {
    const seen: SecretReference[] = []
    const given = { plain: { a: { env: 'NOT' } }, secrets: { 'a.b': { env: 'A' } }, list: ['text', { secret: { file: 'f' } }], login: { user: 'u', password: { env: 'P' } } }
    const mapped = mapSecrets(inputs.parse(given), inputs, (one) => (seen.push(one), 'struck'))
    expect(seen).toEqual([{ env: 'A' }, { file: 'f' }, { env: 'P' }])
    expect(mapped).toMatchObject({ plain: { a: { env: 'NOT' } }, secrets: { 'a.b': 'struck' }, list: ['text', { secret: 'struck' }] })
  })

  it('comes to the step as its reference and a digest, beside inputs that are still pending', () => {
    const module = anyStep({ uses: 'test', inputs } as never)
    const node = { kind: 'step', id: 'a', uses: 'test', needs: [], position: { line: 1, column: 1 }, positions: new Map(), with: { secrets: { 'a.b': { env: 'A' } } } } as const
    const runbook = { vars: {}, azure: { subscription: 's', location: 'l', cloud: 'c' }, folder: '/' }
    const ports = { runbook, env: () => undefined, secrets: openSecrets({ cloud: {}, folder: '/', env: { A: 'hush' } }, key) }
    const resolved = inputsOf(node, module as never, ports as never, new Map())
    expect(resolved['secrets']).toEqual({ 'a.b': { env: 'A', digest: expect.stringMatching(/^keyed:/) as string } })
    expect(JSON.stringify(resolved)).not.toContain('hush')
    const late = { secrets: resolved['secrets'], plain: new Pending(['b']) }
    expect(mapSecrets(late, inputs, () => 'struck')).toEqual({ secrets: { 'a.b': 'struck' }, plain: late.plain })
  })
})
