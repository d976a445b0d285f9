import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { LogEntry } from '../../src/contract/index.js'
import { clockOf } from '../../src/platform/clock/clock.js'
import { SystemExec } from '../../src/platform/exec/exec.js'
import { LogFile } from '../../src/platform/log/file.js'
import { rememberSecret, strikeKnown } from '../../src/platform/log/known.js'
import { stepAtWork, workingFor } from '../../src/platform/log/step.js'
import { loggedUrl } from '../../src/platform/log/url.js'
import { tempFolder } from '../helpers/temp-folder.js'

const operations = 'https://management.azure.com/subscriptions/s/providers/Microsoft.Compute/locations/westus2/operations'

describe('the address of a request in a log', () => {
  it('keeps what says what was asked, and nothing that grants anything', () => {
    expect(loggedUrl(`${operations}/3f1?p=1&api-version=2024-07-01&t=638&c=MIIH&s=sig&h=hash`)).toBe(
      `${operations}/***?p=***&api-version=2024-07-01&t=***&c=***&s=***&h=***`,
    )
    expect(loggedUrl('https://user:word@hub.example.org/hub/login')).toBe('https://hub.example.org/hub/login')
    expect(loggedUrl('https://management.azure.com/subscriptions/s/operationresults/eyJqb2JJZCI6?api-version=1')).not.toContain('eyJ')
  })
})

describe('what is struck out', () => {
  it('is every secret that was read, as it is, by lines, as JSON and in base64', () => {
    rememberSecret('correct horse "battery"\nstaple of the unit test')
    const base64 = Buffer.from('correct horse "battery"\nstaple of the unit test').toString('base64')
    for (const form of ['correct horse "battery"', 'staple of the unit test', 'correct horse \\"battery\\"\\nstaple of the unit test', base64]) {
      expect(strikeKnown(`said: ${form}.`)).toBe('said: ***.')
    }
  })

  it('is what has the form of one, though nobody read it', () => {
    expect(strikeKnown('token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl end')).toBe('token *** end')
    expect(strikeKnown('-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNza\n-----END OPENSSH PRIVATE KEY-----\nend')).toBe('***\nend')
    expect(strikeKnown('Authorization: Bearer abcdefgh.ijkl')).toBe('Authorization: Bearer ***')
    expect(strikeKnown('    client-key-data: LS0tLS1CRUdJTg==')).toBe('    client-key-data: ***')
  })

  it('leaves plain words alone', () => {
    const plain = 'helm upgrade --install hub: 2 pods of 3 are ready; the basic plan needs a password'
    expect(strikeKnown(plain)).toBe(plain)
  })
})

describe('a log file', () => {
  const lines = (path: string): unknown[] => readFileSync(path, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as unknown)

  it('is private, is added to by the next life, and has no secret in any of its texts', () => {
    const path = join(tempFolder(), 'runs/r/log.ndjson')
    rememberSecret('a-secret-of-this-file')
    for (const message of ['first', 'then a-secret-of-this-file']) {
      const log = new LogFile(path, clockOf({}))
      log.write({ kind: 'note', message })
      log.close()
    }
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(lines(path)).toMatchObject([{ kind: 'note', message: 'first' }, { message: 'then ***' }])
  })

  it('strikes out of a line what is struck out of each of its texts, however JSON writes it', () => {
    rememberSecret('one "quoted" line\nand\tanother \\ one of them')
    const base64 = Buffer.from('one "quoted" line\nand\tanother \\ one of them').toString('base64')
    const texts = [
      'said: one "quoted" line\nand\tanother \\ one of them',
      'its first line, one "quoted" line, and its second, and\tanother \\ one of them.',
      `in base64 ${base64}`,
      'on a line of its own\neyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl',
      'to\nBearer abcdefgh.ijkl',
      'clone https://user:word@git.example.org/',
      '-----BEGIN PRIVATE KEY-----\nb3BlbnNza\n-----END PRIVATE KEY-----',
      'a plain https://git.example.org/ with nobody@example.org in it',
    ]
    const path = join(tempFolder(), 'log.ndjson')
    const log = new LogFile(path, clockOf({}))
    for (const text of texts) log.write({ kind: 'note', message: text, within: { list: [text] } })
    log.close()
    expect(lines(path)).toMatchObject(texts.map((text) => ({ message: strikeKnown(text), within: { list: [strikeKnown(text)] } })))
    expect(texts.map(strikeKnown).filter((struck) => !struck.includes('***'))).toEqual(texts.slice(-1))
  })

  it('that cannot be made is none, and nobody is stopped by it', () => {
    const file = join(tempFolder(), 'no-folder')
    writeFileSync(file, '')
    const log = new LogFile(join(file, 'log.ndjson'), clockOf({}))
    log.write({ kind: 'note' })
    expect(log.isKept).toBe(false)
  })
})

describe('what is done for a step', () => {
  it('is known as its work, however deep below and however late', async () => {
    const door = { deep: { call: async () => Promise.resolve().then(stepAtWork) }, call: () => stepAtWork() }
    expect(await workingFor('cluster', door).deep.call()).toBe('cluster')
    expect(workingFor('nfs', door).call()).toBe('nfs')
    expect(stepAtWork()).toBe('site')
  })
})

describe('a command in a log', () => {
  async function logged(script: string, wish: { withheld?: boolean } = {}): Promise<LogEntry | undefined> {
    const told: LogEntry[] = []
    const children = { started: async () => undefined, ended: async () => undefined }
    const options = { clock: clockOf({}), children, site: 's', path: '/usr/bin:/bin', secrets: tempFolder() }
    const exec = new SystemExec({ ...options, log: (entry) => told.push(entry) })
    await exec.run({ file: '/bin/sh', args: ['-c', script], env: {}, timeoutMs: 60_000, say: 'sh', ...wish }).catch(() => undefined)
    return told[0]
  }

  it('stands there with how it ended and what it said, secrets struck out', async () => {
    rememberSecret('a-secret-of-this-command')
    const entry = await logged('echo a-secret-of-this-command; echo beside the point >&2; exit 3')
    expect(entry).toMatchObject({ kind: 'command', step: 'site', command: 'sh', writes: [], exitCode: 3, stdout: '***', stderr: 'beside the point' })
  })

  it('keeps the end of what is long, and only the length of what may be secret', async () => {
    const long = await logged('i=0; while [ $i -lt 9000 ]; do echo "line $i"; i=$((i+1)); done')
    expect(long).toMatchObject({ stdout: expect.stringMatching(/^…[\s\S]{4096}$/) as unknown })
    expect((long as { stdout: string }).stdout.endsWith('line 8999')).toBe(true)
    expect(await logged('echo value', { withheld: true })).toMatchObject({ withheld: 6 })
    expect(await logged('echo value', { withheld: true })).not.toHaveProperty('stdout')
  })

  it('that was ended by a signal says so', async () => {
    expect(await logged('kill -9 $$')).toMatchObject({ failure: 'exec.killed' })
  })
})
