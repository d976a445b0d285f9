import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root, temporaryFolder } from '../helpers/cli.js'
import { notForReal } from '../../src/cli/gameday/scenario-file.js'
import { lifeboatHere } from '../helpers/cli-here.js'

const whole = {
  faults: '  - { id: silent, when: { after: 1m }, do: { silence: nfsserver } }',
  operator: '{ does: [run, { resume: { accept: [fence=deallocate] } }] }',
  expect: '{ outcome: succeeded }',
}

/** The path of a scenario of data100, with other parts than these. */
function scenario(parts: Partial<typeof whole> = {}, runbook = join(root, 'runbooks/data100.yaml')): string {
  const { faults, operator, expect: expected } = { ...whole, ...parts }
  const lines = [
    'apiVersion: lifeboat/gameday/v1',
    'name: tried',
    'reason: to be read',
    `runbook: ${runbook}`,
    'hypothesis: it is refused before anything is played',
    'faults:',
    faults,
    `operator: ${operator}`,
    `expect: ${expected}`,
  ]
  const path = join(temporaryFolder(), 'scenario.yaml')
  writeFileSync(path, `${lines.join('\n')}\n`)
  return path
}

async function refused(path: string): Promise<string> {
  const { code, stderr } = await lifeboatHere(['gameday', path, '--quiet'])
  expect(code, stderr).toBe(2)
  return stderr
}

const fault = (when: string, what: string): Partial<typeof whole> => ({ faults: `  - { id: one, when: ${when}, do: ${what} }` })

describe('a scenario that cannot be played', () => {
  it.each([
    ['a fault that there is not', fault('{ after: 1m }', '{ silense: nfsserver }'), /:7:43: .*takes no "silense".*did you mean "silence"\?/],
    ['a step that the runbook has not', fault('{ step: mvoe, is: applying }', '{ laptop: dies }'), /:7:30: there is no step "mvoe" \(did you mean "move"\?\)/],
    ['a moment that no step has', fault('{ step: move, is: aplying }', '{ laptop: dies }'), /:7:40: .*did you mean "applying"\?/],
    ['an expectation that there is not', { expect: '{ outcome: succeeded, wihtin: 3m }' }, /:9:31: .*takes no "wihtin".*did you mean "within"\?/],
    ['an outcome that there is not', { expect: '{ outcome: suceeded }' }, /:9:\d+: .*did you mean "succeeded"\?/],
    ['something of the world that cannot be expected', { expect: '{ outcome: succeeded, world: [{ pol: { name: pool0 } }] }' }, /did you mean "pool"\?/],
    ['a machine that is neither there nor made', fault('{ after: 1m }', '{ silence: nfsservr }'), /there is no machine "nfsservr" \(did you mean "nfsserver"\?\)/],
    ['a name server that no zone has', fault('{ after: 1m }', '{ nameServer: { name: ns1-70.azure-dns.com, is: silent } }'), /there is no name server "ns1-70.azure-dns.com" \(did you mean "ns1-07.azure-dns.com"\?\)/],
    ['an operation that there is not', fault('{ after: 1m }', '{ prolong: { operation: detatch, to: 1h } }'), /did you mean "detach"\?/],
    ['a fault of requests that names none', fault('{ after: 1m }', '{ loseReply: {} }'), /loseReply does not say which requests it befalls/],
    ['no fault in a line', fault('{ after: 1m }', '{}'), /no fault is named here/],
    ['two faults in one line', fault('{ after: 1m }', '{ laptop: dies, silence: nfsserver }'), /exactly one fault is named here/],
    ['two moments in one line', fault('{ step: move, is: applying, call: PUT disks }', '{ laptop: dies }'), /it is one of: step/],
    ['a time without a unit', fault('{ after: 12 }', '{ laptop: dies }'), /a duration carries its unit/],
    ['a pool that the world has not', { expect: '{ outcome: succeeded, world: [{ pool: { name: pol0, on: new } }] }' }, /there is no pool "pol0" \(did you mean "pool0"\?\)/],
    ['a pattern that is none', { expect: '{ outcome: succeeded, told: ["/a(/"] }' }, /this is no regular expression/],
    ['an answer that does not fit its question', { operator: '{ answers: [{ step: fence, asks: gate, answer: retry }] }' }, /that kind of question is not answered so/],
    ['a step that an answer names', { operator: '{ answers: [{ step: fense, asks: failure, answer: retry }] }' }, /did you mean "fence"\?/],
    ['no fault at all', { faults: '  []' }, /a game day without a fault tests nothing/],
  ])('is told where it is wrong: %s', async (_what, parts, told) => {
    const said = await refused(scenario(parts))
    expect(said).toMatch(told)
    expect(said.trim().split('\n')).toHaveLength(1)
  })

  it('is told so of its runbook and its file, too', async () => {
    expect(await refused(scenario({}, 'nowhere.yaml'))).toMatch(/scenario\.yaml:4:10: this runbook cannot be used: .*there is no such file/)
    expect(await refused(join(temporaryFolder(), 'absent.yaml'))).toMatch(/absent\.yaml:1:1: there is no such file/)
  })

  it('is told of a fault that would not strike for real on this machine, before anything is played', () => {
    const killed = { faults: [{ id: 'one', do: { kind: 'program', with: { dies: 'helm' } } }] } as unknown as Parameters<typeof notForReal>[0]
    expect(notForReal(killed, 'linux')).toEqual([])
    const [told] = notForReal(killed, 'darwin')
    expect(told).toMatchObject({ path: ['faults', 0, 'do', 'program'], message: expect.stringMatching(/^fault one cannot be played with --real on darwin/) as string })
  })

  it.each([
    ['--speed', '60', /--speed goes with --real/],
    ['--real', '--seed=3', /--seed does not go with --real/],
  ])('is told of options that do not go together: %s %s', async (one, other, told) => {
    const { code, stderr } = await lifeboatHere(['gameday', scenario(), one, other])
    expect([code, stderr]).toEqual([2, expect.stringMatching(told)])
  })

  it('is told of all that is wrong in all the files', async () => {
    const { code, stderr } = await lifeboatHere(['gameday', scenario(fault('{ after: 1m }', '{ silense: x }')), scenario({ expect: '{}' }), '--quiet'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/silense[^]*lacks "outcome"/)
  })
})
