import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makeSshKey } from '../../src/sim/world/keys.js'
import { makeSecret, secretMark } from '../../src/sim/world/secrets.js'
import { root } from '../helpers/cli.js'
import { leakForms, leakIn, leaksBelow, planted } from '../helpers/leaks.js'
import { tempFolder } from '../helpers/temp-folder.js'

const key = makeSshKey('of a test').private

/** Files of a folder, by their paths in it. */
function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = tempFolder()
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

describe('a secret of a world', () => {
  it('is known by its form, whatever stands before it and behind it, also in base64, and so is a part of it', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        const secret = makeSecret(24)
        const text = `${before}${secret}${after}`
        return [text, Buffer.from(text).toString('base64'), text.slice(0, -after.length - 20), text.slice(before.length + 20)].every((one) => leakIn(one) !== undefined)
      }),
    )
  })

  it('that is a private key is known by its armour, and by its first line', () => {
    expect(leakIn(`log: ${key}`)).toBe('PRIVATE KEY-----')
    expect(leakIn(key.split('\n')[1] ?? '')).toBeDefined()
  })

  it('is not seen where there is none', () => {
    expect(leakIn('the client secret *** was refused; ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA and -----BEGIN CERTIFICATE-----')).toBe(undefined)
  })
})

describe('a process of the tests', () => {
  /** What was noted of a script, which has `SAID`, and `FOLDER` for a trial. */
  function notedOf(script: string, said: string): string[] {
    const [hook, list, folder] = [join(root, 'test/helpers/watched.cjs'), join(tempFolder(), 'found'), join(tempFolder(), 'lifeboat-trial-x')]
    writeFileSync(list, '')
    const env = { LEAK_FORMS: JSON.stringify(leakForms), LEAKS_FOUND: list, SAID: said, FOLDER: folder }
    execFileSync(process.execPath, ['--require', hook, '--input-type=module', '-e', script], { env: { ...process.env, ...env } })
    expect(existsSync(folder)).toBe(false)
    return readFileSync(list, 'utf8').split('\n').filter((line) => /an argument of true|log\.ndjson/.test(line))
  }
  const starts = "import { spawn } from 'node:child_process'; spawn('true', ['--token', process.env.SAID])"
  const tries = `import { mkdirSync, writeFileSync } from 'node:fs'; import { rm } from 'node:fs/promises'
    const { FOLDER, SAID } = process.env
    for (const name of ['state/runs', 'world']) mkdirSync(FOLDER + '/' + name, { recursive: true })
    for (const name of ['state/runs/log.ndjson', 'world/cloud.json', 'world/log.ndjson']) writeFileSync(FOLDER + '/' + name, SAID)
    await rm(FOLDER, { recursive: true })`

  it.each([['the arguments of another that it starts', starts], ['the folder of a trial that it takes away, but for its world', tries]])('is watched for secrets in %s', (_, script) => {
    expect(notedOf(script, planted('token'))).toHaveLength(1)
    expect(notedOf(script, '***')).toEqual([])
  })
})

describe('the search in the end of the suite', () => {
  it('finds one in a log, and not where it belongs', async () => {
    const cloud = { credential: { secret: { file: '' } }, env: { KEY: '' } }
    const folder = folderOf({ 'world/secret': planted('login'), 'world/a.key': key, 'state/runs/r/log.ndjson': `{"said":"${secretMark}"}` })
    cloud.credential.secret.file = join(folder, 'world/secret')
    cloud.env.KEY = join(folder, 'world/a.key')
    writeFileSync(join(folder, 'world/cloud.json'), JSON.stringify(cloud))
    expect(await leaksBelow(folder)).toEqual([`state/runs/r/log.ndjson has ${secretMark}`])
  })

  it('lets a run that was killed keep its credentials, and none that has ended', async () => {
    const files = { 'private/killed/kubeconfig': planted('token'), 'private/ended/kubeconfig': planted('token') }
    const journals = { 'runs/killed/journal.ndjson': '{"type":"step.intent"}\n', 'runs/ended/journal.ndjson': '{"type":"run.finished"}\n' }
    expect(await leaksBelow(folderOf({ ...files, ...journals }))).toEqual([`private/ended/kubeconfig has ${secretMark}`])
  })
})
