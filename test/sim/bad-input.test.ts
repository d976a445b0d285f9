import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { RunEvent } from '../../src/contract/index.js'
import { data100, root, temporaryFolder } from '../helpers/cli.js'
import { lifeboatHere } from '../helpers/cli-here.js'
import { served, worldRequests } from '../helpers/served.js'
import { groupSteps, resumeSmall, runSmall, smallRunbook } from '../helpers/small.js'

const text = readFileSync(data100, 'utf8').replaceAll('../fixtures/', `${join(root, 'fixtures')}/`)

function runbookFile(contents: string): string {
  const path = join(temporaryFolder(), 'data100.yaml')
  writeFileSync(path, contents)
  return path
}

/** Every place of a runbook's name in `file:line:column: …` lines. */
const places = (stderr: string): string[] => stderr.match(/data100\.yaml:\d+:\d+/g) ?? []

describe('a runbook that is wrong', () => {
  it.each([
    ['an unknown key', (good: string) => good.replace('objective:', 'objectve:'), /objectve.*objective/s],
    ['a dangling reference', (good: string) => good.replace('steps.nfs.outputs.id', 'steps.nfz.outputs.id'), /nfz/],
    ['an output that there is not', (good: string) => good.replace('steps.nfs.outputs.id', 'steps.nfs.outputs.ident'), /ident/],
    ['a duplicate id', (good: string) => good.replace('- id: exports', '- id: import'), /import/],
    ['an unknown module', (good: string) => good.replace('uses: zfs/import-pool', 'uses: zfs/imprt-pool'), /zfs\/import-pool/],
    ['a wrong type across a reference', (good: string) => good.replace('disks: "${{ steps.attach.outputs.disks }}"', 'disks: "${{ steps.nfs.outputs.id }}"'), /disks/],
    ['a cycle', (good: string) => good.replace(/(- id: fence\n +uses: nfs\/fence\n +needs: \[)/, '$1exports, '), /wait for each other/],
    ['no YAML', () => 'steps: [1, 2\n  - a: }', /./],
    ['nothing', () => '', /empty/i],
  ])('with %s is refused with its place and a mend, and exit code 2', async (_, spoil, said) => {
    const spoiled = spoil(text)
    expect(spoiled).not.toBe(text)
    const file = runbookFile(spoiled)
    const { code, stderr } = await lifeboatHere(['validate', file])
    expect(code, stderr).toBe(2)
    expect(places(stderr).length, stderr).toBeGreaterThan(0)
    expect(stderr).toMatch(said)
  })

  it.each([['validate'], ['plan'], ['run', '--confirm=data100', '--yes'], ['rehearse'], ['schema']])('with ten megabytes is told by %s to be none, without being read', async (command, ...flags) => {
    const file = runbookFile(`${text}${'  - { id: again, uses: gate, with: { ask: x } }\n'.repeat(220_000)}`)
    const { code, stdout, stderr } = await lifeboatHere([command, file, ...flags])
    expect(code, stderr).toBe(2)
    expect(stderr).toMatch(/data100\.yaml:1:1: this file has \d+ bytes, which is larger than a runbook can be/)
    const said = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('Reading '))
    expect([said.length, stderr.includes('    at '), stdout]).toEqual([1, false, ''])
  })

  it('is told all its findings at once, and nothing is touched', async () => {
    await using world = await served()
    const before = (await worldRequests(world)).length
    const file = runbookFile(text.replace('uses: nfs/exports', 'uses: nfs/export').replace('steps.nfs.outputs.id', 'steps.nfz.outputs.id'))
    const args = ['run', file, '--cloud', world.cloudPath, '--confirm=data100', '--yes', '--state-dir', temporaryFolder()]
    const { code, stderr } = await lifeboatHere(args)
    expect(code).toBe(2)
    expect(new Set(places(stderr)).size).toBeGreaterThan(1)
    expect((await worldRequests(world)).length).toBe(before)
  })
})

describe('the schema for editors', () => {
  it('is not printed without a module that it was asked for, and says which', async () => {
    const file = runbookFile(text.replace('uses: nfs/exports', 'uses: ./exports.mjs'))
    const { code, stdout, stderr } = await lifeboatHere(['schema', file])
    expect([code, stdout], stderr).toEqual([2, ''])
    expect(stderr).toMatch(/the module \.\/exports\.mjs cannot be loaded: there is no such file/)
  })
})

describe('a run without a terminal', () => {
  it.each<[string, string[], string]>([
    ['and without its name', ['--yes'], '--confirm=data100'],
    ['with another name', ['--confirm=data101', '--yes'], 'It is data100.'],
    ['with gates that nobody passes', ['--confirm=data100'], '--yes'],
  ])('%s ends with exit code 2, names the flag, and asks nothing of the cloud', async (_, flags, named) => {
    await using world = await served()
    const { code, stdout, stderr } = await lifeboatHere(['run', data100, '--cloud', world.cloudPath, ...flags, '--state-dir', temporaryFolder()])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(named)
    expect(await worldRequests(world)).toEqual([])
  })
})

describe('before the first change', () => {
  it.each([
    ['helm', ['ssh']],
    ['ssh', []],
  ])('a missing %s ends with exit code 4', async (missing, kept) => {
    await using world = await served()
    const bin = temporaryFolder()
    for (const tool of kept) {
      writeFileSync(join(bin, tool), `#!/bin/sh\nexec /usr/bin/${tool} "$@"\n`)
      chmodSync(join(bin, tool), 0o755)
    }
    const env = { PATH: bin, ...(missing === 'helm' ? { LIFEBOAT_HELM: join(bin, 'no-helm') } : {}) }
    const args = ['run', data100, '--cloud', world.cloudPath, '--confirm=data100', '--yes', '--state-dir', temporaryFolder()]
    const { code, stderr } = await lifeboatHere(args, env)
    expect(code, stderr).toBe(4)
    expect(stderr).toContain(missing)
    expect((await worldRequests(world)).filter(({ writes }) => writes)).toEqual([])
  })

  it('a cloud that does not answer ends with exit code 4', async () => {
    const folder = temporaryFolder()
    const cloud = join(folder, 'cloud.json')
    writeFileSync(join(folder, 'secret'), 'none', { mode: 0o600 })
    writeFileSync(
      cloud,
      JSON.stringify({
        name: 'nowhere',
        resourceManager: 'https://127.0.0.1:9',
        authority: 'https://127.0.0.1:9',
        tenant: '00000000-0000-0000-0000-000000000000',
        instanceDiscovery: false,
        credential: { kind: 'client-secret', clientId: 'nobody', secret: { file: 'secret' } },
        env: { LIFEBOAT_SSH_KEY: { file: 'secret' } },
        clock: { real: new Date().toISOString(), world: new Date().toISOString(), rate: 1000 },
      }),
    )
    const { code, stdout, stderr } = await lifeboatHere(['run', data100, '--cloud', cloud, '--confirm=data100', '--yes', '--state-dir', folder, '--json'])
    expect(code, stderr).toBe(4)
    // A reader of the stream has no other word of why it ends.
    const last = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as RunEvent
    expect(last).toMatchObject({ type: 'run.refused' })
    expect(JSON.stringify(last)).toMatch(/ECONNREFUSED|cannot be reached|does not answer/)
  })

  it('a cloud file that is not there is told with what to give instead', async () => {
    const { code, stderr } = await lifeboatHere(['plan', data100, '--cloud', 'no-such.json', '--state-dir', temporaryFolder()])
    expect([code, stderr]).toEqual([4, expect.stringMatching(/no-such\.json cannot be read[^]*--cloud/)])
  })

  it.each([
    [['--yes'], '--confirm=data100', 'nothing'],
    [['--confirm=data100'], '--yes', 'nothing'],
    [['--confirm=data200', '--yes'], 'It is data100', 'nothing'],
  ])('a run without a terminal that has only %j names what is missing, with exit code 2', async (flags, named, read) => {
    await using world = await served()
    const before = (await worldRequests(world)).length
    const { code, stderr } = await lifeboatHere(['run', data100, '--cloud', world.cloudPath, '--state-dir', temporaryFolder(), ...flags])
    expect(code, stderr).toBe(2)
    expect(stderr).toContain(named)
    const since = (await worldRequests(world)).slice(before)
    expect(since.filter(({ writes }) => writes)).toEqual([])
    expect(since.length === 0 ? 'nothing' : 'the world').toBe(read)
  })
})

describe('the journal of a run that was killed', () => {
  it('is read with a torn last line, and refused with a flipped byte, naming the line; a locked run is exit code 5', async () => {
    // So slowly that neither life can come to its end before it is stopped.
    await using world = await served(undefined, 3)
    const state = temporaryFolder()
    const small = { world, state, runbook: smallRunbook(groupSteps('one', 'two', 'three', 'four')) }
    const first = runSmall(small)
    await first.until((event) => event.type === 'step.verified')
    // Stopped, not ended: it holds its lock, and comes no further.
    first.child.kill('SIGSTOP')

    const locked = await runSmall(small).ended
    expect(locked.code, locked.stderr).toBe(5)
    expect(locked.stderr).toMatch(/pid \d+/)

    first.child.kill('SIGKILL')
    await first.ended
    const { runs } = JSON.parse((await lifeboatHere(['runs', '--json', '--state-dir', state])).stdout) as { runs: { run: string; condition: string }[] }
    expect(runs).toMatchObject([{ condition: 'stopped' }])
    const path = join(state, 'runs', runs[0]!.run, 'journal.ndjson')
    const whole = readFileSync(path, 'utf8')
    const lines = whole.split('\n')

    const flipped = [lines[0], lines[1]!.replace('run.planned', 'run.plannet'), ...lines.slice(2)].join('\n')
    writeFileSync(path, flipped)
    const refused = await resumeSmall(small).ended
    expect(refused.code, refused.stderr).toBe(4)
    expect(refused.stderr).toContain('line 2')

    writeFileSync(path, whole.slice(0, -20))
    const resumed = resumeSmall(small)
    await resumed.until((event) => event.type === 'step.started')
    resumed.child.kill('SIGTERM')
    expect((await resumed.ended).code, (await resumed.ended).stderr).toBe(143)
  })
})
