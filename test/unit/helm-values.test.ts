import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type LifeboatError, Secret, type Json, type JsonObject } from '../../src/contract/index.js'
import { releaseDigest } from '../../src/platform/helm/digest.js'
import type { ReleaseChart } from '../../src/platform/helm/door.js'
import { parseSetPath, valueAt, withSet } from '../../src/platform/helm/set-path.js'
import { readValuesFile, withValues } from '../../src/platform/helm/values.js'
import { tempFolder } from '../helpers/temp-folder.js'

const failure = (promise: Promise<unknown>): Promise<LifeboatError> =>
  promise.then(() => Promise.reject(new Error('it did not fail')), (error: unknown) => error as LifeboatError)

function valuesFile(text: string): string {
  const path = join(tempFolder(), 'values.yaml')
  writeFileSync(path, text)
  return path
}

describe('a path of --set', () => {
  it.each([
    ['a', ['a']],
    ['a.b.c', ['a', 'b', 'c']],
    ['a[0].b[1][2]', ['a', 0, 'b', 1, 2]],
    ['nodeSelector.kubernetes\\.io/role', ['nodeSelector', 'kubernetes.io/role']],
    ['a\\,b.c\\=d', ['a,b', 'c=d']],
    ['hub.config.JupyterHub.admin_users', ['hub', 'config', 'JupyterHub', 'admin_users']],
  ])('%s is read as helm reads it', (path, segments) => {
    expect(parseSetPath(path)).toEqual(segments)
  })
  it.each(['', '.a', 'a.', 'a..b', 'a=b', 'a,b', '[0]', 'a[x]', 'a[-1]', 'a[0', 'a[99999999]', 'a\\'])('%j is none', (path) => {
    expect(parseSetPath(path)).toBeUndefined()
  })
})

describe('values that are set', () => {
  const set = (own: JsonObject, values: Readonly<Record<string, Json>>, below: JsonObject = {}) => withSet(own, below, values)

  it('go into what is there, the later over the earlier', () => {
    expect(set({ a: { b: 1, c: 2 } }, { 'a.b': 3, 'a.d.e': true, 'x\\.y': null, 'a.b.z': 'over' })).toEqual({ a: { b: { z: 'over' }, c: 2, d: { e: true } }, 'x.y': null })
  })
  it('leave what they are given as it was', () => {
    const own = { a: { b: 1 } }
    set(own, { 'a.b': 2 })
    expect(own).toEqual({ a: { b: 1 } })
  })
  it('take a list of lower values along, since helm replaces lists as wholes', () => {
    const below = { servers: [{ host: 'a', port: 1 }, { host: 'b' }] }
    expect(set({}, { 'servers[1].port': 2 }, below)).toEqual({ servers: [{ host: 'a', port: 1 }, { host: 'b', port: 2 }] })
    expect(below).toEqual({ servers: [{ host: 'a', port: 1 }, { host: 'b' }] })
    expect(set({}, { 'list[2]': 'c' })).toEqual({ list: [null, null, 'c'] })
  })
  it('can be read again at the same paths', () => {
    const values = set({}, { 'a[1].b\\.c': 'x' })
    expect([valueAt(values, 'a[1].b\\.c'), valueAt(values, 'a[0].b'), valueAt(values, 'no.such')]).toEqual(['x', undefined, undefined])
  })
})

describe('what helm is given', () => {
  async function given(chart: Omit<ReleaseChart, 'chart'>) {
    const folder = tempFolder()
    return withValues(folder, { chart: '/c', ...chart }, async (flags) => {
      const own = flags.at(-1) ?? ''
      return { flags, mode: statSync(own).mode & 0o777, own: JSON.parse(readFileSync(own, 'utf8')) as JsonObject, folder }
    })
  }

  it('is the files in their order, then values, set and secrets in one private file, gone afterwards', async () => {
    const files = [valuesFile('a: 1\nb: { c: 1 }\n'), valuesFile('b: { c: 2 }\n')]
    const seen = await given({ valuesFiles: files, values: { a: 'values', s: 'values', t: 1 }, set: { s: 'set', 'b.d': [1] }, secrets: { s: new Secret('hush') } })
    expect(seen.flags.slice(0, 4)).toEqual(['--values', files[0], '--values', files[1]])
    expect(seen.own).toEqual({ a: 'values', s: 'hush', t: 1, b: { d: [1] } })
    expect(seen.mode).toBe(0o600)
    expect(() => statSync(seen.flags.at(-1) ?? '')).toThrow()
    expect(seen.flags.join(' ')).not.toMatch(/hush|set/)
  })

  it('names a path with a comma so that helm reads one path', async () => {
    const path = join(tempFolder(), 'a,"b".yaml')
    writeFileSync(path, 'a: 1')
    expect((await given({ valuesFiles: [path] })).flags[1]).toBe(`"${path.replaceAll('"', '""')}"`)
  })

  it('takes a list from the files along where an item of it is set', async () => {
    const { own } = await given({ valuesFiles: [valuesFile('users: [ada, bob]\nn: 1\n')], set: { 'users[1]': 'eve' } })
    expect(own).toEqual({ users: ['ada', 'eve'] })
  })

  it('is nothing where a values file is no YAML: its place is told, and nothing that stands in it', async () => {
    const path = valuesFile('proxy:\n  secretToken: "hunter2\n  other: [1\n')
    const error = await failure(given({ valuesFiles: [path] }))
    expect(error.code).toBe('helm.values')
    expect(error.message).toMatch(/values\.yaml:\d+:\d+: this values file is no YAML/)
    expect(error.message).not.toContain('hunter2')
  })

  it.each([['- a\n- b\n', 'no mapping'], ['just text', 'no mapping'], ['a: 1\n---\nb: 2\n', 'no YAML']])('is nothing where a values file is %j', async (text, said) => {
    expect((await failure(readValuesFile(valuesFile(text)))).message).toContain(said)
  })

  it.each([
    ['', {}],
    ['# nothing\n', {}],
    ['base: &b { x: 1 }\nhub: { <<: *b, on2: yes }\n', { base: { x: 1 }, hub: { x: 1, on2: true } }],
    ['a: 1\na: 2\n', { a: 2 }],
  ])('reads %j as helm does', async (text, values) => {
    expect(await readValuesFile(valuesFile(text))).toEqual(values)
  })
})

describe('the digest of what a release is given', () => {
  const chart = (): string => valuesFile('name: a')
  const digest = (given: Omit<ReleaseChart, 'chart'>): Promise<string> => releaseDigest(chart(), given)

  it('is another for other files, another order of them, other set values and other places of secrets', async () => {
    const [one, two] = [valuesFile('a: 1'), valuesFile('a: 2')]
    const all = await Promise.all([
      digest({}),
      digest({ valuesFiles: [one] }),
      digest({ valuesFiles: [one, two] }),
      digest({ valuesFiles: [two, one] }),
      digest({ set: { a: 1 } }),
      digest({ set: { a: 2 } }),
      digest({ secrets: { a: new Secret('x') } }),
      digest({ secrets: { b: new Secret('x') } }),
    ])
    expect(new Set(all).size).toBe(all.length)
  })

  it('knows nothing of a secret’s value, nor where a file lies', async () => {
    expect(await digest({ secrets: { a: new Secret('x') } })).toBe(await digest({ secrets: { a: new Secret('y') } }))
    expect(await digest({ valuesFiles: [valuesFile('a: 1')] })).toBe(await digest({ valuesFiles: [valuesFile('a: 1')] }))
  })
})
