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

const world = (expected: string): Partial<typeof whole> => ({ expect: `{ outcome: succeeded, world: [{ ${expected} }] }` })

// The third waits for the circle, and is not in it.
const circle = ['one', 'two', 'three']
  .map((id) => `  - { id: ${id}, when: { fault: ${id === 'one' ? 'two' : 'one'} }, do: { laptop: dies } }`)
  .join('\n')

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
    ['an answer that does not fit its question', { operator: '{ answers: [{ step: fence, asks: gate, answer: retry }] }' }, /answers\[0\]\.answer is "retry": a question of the kind gate takes go or stop/],
    ['a step that an answer names', { operator: '{ answers: [{ step: fense, asks: failure, answer: retry }] }' }, /did you mean "fence"\?/],
    ['a deed that there is not', { operator: '{ does: [run, resme] }' }, /does\[1\] cannot be "resme" \(did you mean "resume"\?\)/],
    ['a deed with another word', { operator: '{ does: [run, { advice: folowed }] }' }, /does\[1\]\.advice cannot be "folowed" \(did you mean "followed"\?\)/],
    ['a question that its step never asks', { operator: '{ answers: [{ step: fence, asks: gate, answer: go }] }' }, /fence is a step, and never asks a question of the kind gate/],
    ['a fault that waits for itself', fault('{ fault: one }', '{ laptop: dies }'), /fault one waits for itself/],
    ['a fault that waits for none', fault('{ fault: two }', '{ laptop: dies }'), /there is no fault "two" \(there are no other faults\)/],
    ['faults that wait for each other', { faults: circle }, /:7:31: faults one and two wait for each other/],
    ['a moment that a gate has not', fault('{ step: go-on-to-prod, is: verified }', '{ laptop: dies }'), /go-on-to-prod is a gate, which has no moment "verified" \(it has only one, is: asked\)/],
    ['a part of a gate', fault('{ step: go-on-to-prod, at: 50% }', '{ laptop: dies }'), /go-on-to-prod is a gate, which has no moment "50%"/],
    ['the 0th of something', fault('{ operation: move, nth: 0 }', '{ laptop: dies }'), /nth is 0: it takes more than 0/],
    ['a quota that there is not', fault('{ after: 1m }', '{ quota: { of: standardESv3Famly, limit: 1 } }'), /there is no quota "standardESv3Famly" \(did you mean "standardESv3Family"\?\)/],
    ['a size that there is not', fault('{ after: 1m }', '{ noCapacity: Standard_E16_v33 }'), /there is no size "Standard_E16_v33" \(did you mean "Standard_E16_v3"\?\)/],
    ['a group that somebody cannot mean', fault('{ after: 1m }', '{ somebody: { does: DELETE /resourceGroups/data100-nsf } }'), /there is no group "data100-nsf" \(did you mean "data100-nfs"\?\)/],
    ['a machine in another group', fault('{ after: 1m }', '{ silence: data100-nsf/nfsserver }'), /there is no group "data100-nsf"/],
    ['a group that is nearly one that the runbook makes', fault('{ after: 1m }', '{ unlock: data100-disk }'), /did you mean "data100-disks"\?/],
    ['a shell without a variable', fault('{ after: 1m }', '{ shell: {} }'), /no variable is named here/],
    ['a pool of which nothing is expected', world('pool: { name: pool0 }'), /world\[0\]\.pool is a mapping: it takes on, or health, or both/],
    ['a pool with somebody that there is not', world('pool: { name: pool0, on: nw }'), /there is no holder of a pool "nw" \(did you mean "new"\?\)/],
    ['a name that cannot lead so', world('name: { host: data100.datahub.berkeley.edu, leads: to-its-hubb }'), /a name cannot lead "to-its-hubb" \(did you mean "to-its-hub"\?\)/],
    ['calls of which nothing is expected', world('calls: { call: PUT x }'), /world\[0\]\.calls is a mapping: it takes times, or atMost/],
    ['a release of no such status', world('release: { name: data100-prod, status: deploied }'), /did you mean "deployed"\?/],
    ['a release that nobody installs', world('release: { name: data100-prd, status: deployed }'), /there is no release "data100-prd" \(did you mean "data100-prod"\?\)/],
    ['a cluster in no such state', world('cluster: { name: data100-19s-2, state: Suceeded }'), /did you mean "Succeeded"\?/],
    ['a disk in no such group', world('disk: { name: nfsserver_DataDisk_0, in: data100-dsks }'), /there is no group "data100-dsks" \(did you mean "data100-disks"\?\)/],
    ['a method that Azure has not', world('calls: { call: PSOT disks, times: 0 }'), /there is no method "PSOT" of Azure \(did you mean "POST"\?\)/],
    ['another door where only Azure is meant', fault('{ after: 1m }', '{ reset: { call: EXEC zpool } }'), /there is no method "EXEC" of Azure/],
    ['a request that waits at another door', fault('{ call: EXEC zpool import }', '{ loseReply: {} }'), /there is no method "EXEC" of Azure/],
    ['a door that there is not', fault('{ call: EXCE zpool import }', '{ laptop: dies }'), /there is no method "EXCE" of any door \(did you mean "EXEC"\?\)/],
    ['somebody who only looks', fault('{ after: 1m }', '{ somebody: { does: GET /resourceGroups/data100-nfs } }'), /GET changes nothing/],
    ['a machine that is only a key of the runbook', world('machine: { name: serverAddress, power: absent }'), /there is no machine "serverAddress"/],
    ['a cluster that is only a step', world('cluster: { name: staging-dns, state: absent }'), /there is no cluster "staging-dns"/],
    ['a release that is only a word', world('release: { name: values, status: absent }'), /there is no release "values"/],
    ['operations on what there is not', world('operation: { name: move, on: no-such, times: 0 }'), /on: there is nothing named "no-such"/],
    ['a longer operation on what there is not', fault('{ after: 1m }', '{ prolong: { operation: move, on: nfsservre, to: 9h } }'), /there is nothing named "nfsservre" \(did you mean "nfsserver"\?\)/],
    ['a delay of nothing', fault('{ after: 1m }', '{ slow: { call: GET x, by: 0s } }'), /it takes more than 0/],
    ['a clock that is set by nothing', fault('{ after: 1m }', '{ clock: { set: back, by: 0ms } }'), /it takes more than 0/],
    ['pods that take no time', fault('{ after: 1m }', '{ podsTake: { namespace: data100-prod, time: 0s } }'), /it takes more than 0/],
    ['pods that fail', fault('{ after: 1m }', '{ failOperation: { operation: pods } }'), /pods goes on by itself, and can be waited for only[^]*take podsTake, or pods/],
    ['a longer first boot', fault('{ after: 1m }', '{ prolong: { operation: first boot, to: 9h } }'), /first boot goes on by itself[^]*durations/],
    ['an operation that takes no time', fault('{ after: 1m }', '{ prolong: { operation: move, to: 0s } }'), /it takes more than 0/],
    ['a time without bounds', fault('{ after: 99999999999999h }', '{ laptop: dies }'), /faults\[0\]\.when\.after is .*at most 720h, thirty days/],
    ['a wait without bounds', { operator: '{ does: [run, { wait: 721h }] }' }, /at most 720h, thirty days/],
    ['a pool that is more than full', fault('{ after: 1m }', '{ fill: { pool: pool0, to: 101% } }'), /at most 100%/],
    ['answers of nobody', { operator: '{ present: false, answers: [{ step: fence, asks: failure, answer: retry }] }' }, /nobody is at the terminal to answer/],
    ['a change of what no world has', { operator: '{}\nchange: { durtions: { move: 1h } }' }, /a world has no "durtions" \(did you mean "durations"\?\)/],
    ['a time of what no world does', { operator: '{}\nchange: { durations: { mvoe: 1h } }' }, /a world does nothing that is called "mvoe" \(did you mean "move"\?\)/],
    ['a time of a world without bounds', { operator: '{}\nchange: { durations: { move: 9999h } }' }, /move is 9999h: at most 720h/],
    ['a revision of what is absent', world('release: { name: data100-prod, status: absent, revision: 1 }'), /what is absent has no revision/],
    ['a release that is named after something else', world('release: { name: data100-nfs, status: absent }'), /there is no release "data100-nfs" \(/],
    ['a machine that is named after something else', world('machine: { name: data100-disks, power: absent }'), /there is no machine "data100-disks" \(.*"nfsserver"\)/],
    ['a machine in a group that is not its own', world('machine: { name: data100-disks/nfsserver, power: absent }'), /there is no machine "data100-disks\/nfsserver" \(did you mean "data100-nfs\/nfsserver"/],
    ['a cluster that is named after something else', world('cluster: { name: data100-network, state: absent }'), /there is no cluster "data100-network" \(/],
    ['an API server of what is no cluster', fault('{ after: 1m }', '{ apiServer: { cluster: pool0, is: away } }'), /there is no cluster "pool0"/],
    ['a pool on what is no machine', world('pool: { name: pool0, on: data100-disks }'), /there is no holder of a pool "data100-disks"/],
    ['a file that lies elsewhere', fault('{ after: 1m }', '{ writes: { env: DEPLOYMENTS, file: ../../x, text: t } }'), /do\.writes\.file is "\.\.\/\.\.\/x": the name of a file, without a path/],
    ['a file in a folder that there is not', fault('{ after: 1m }', '{ writes: { env: DEPLOYMENTS, file: a/b, text: t } }'), /:7:\d+: .*do\.writes\.file is "a\/b": the name of a file/],
    ['a file elsewhere that is looked at', world('file: { env: DEPLOYMENTS, name: ../key, says: x }'), /file\.name is "\.\.\/key": the name of a file, without a path/],
    ['a seed that chance has not', { operator: '{}\nseed: 4294967296' }, /seed is 4294967296/],
    ['no fault at all', { faults: '  []' }, /a game day without a fault tests nothing/],
  ])('is told where it is wrong: %s', async (_what, parts, told) => {
    const said = await refused(scenario(parts))
    expect(said).toMatch(told)
    expect(said.trim().split('\n')).toHaveLength(1)
  })

  it('is told so of its runbook and its file, too', async () => {
    expect(await refused(scenario({}, 'nowhere.yaml'))).toMatch(/scenario\.yaml:4:10: there is no file \S+nowhere\.yaml \(files of YAML there: "scenario\.yaml"\)/)
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

  it.each(["''", "' '", '0x10', '1e3', '-0', '100000000000000000000', '4294967296', '-1'])('is told of a seed that is none: %s', async (seed) => {
    const { code, stdout, stderr } = await lifeboatHere(['gameday', scenario(), `--seed=${seed.replaceAll("'", '')}`])
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringMatching(/--seed[^]*It must be a whole number, from 0 to 4294967295/)])
    const { code: others } = await lifeboatHere(['simulate', '--seeds', '1', `--from=${seed.replaceAll("'", '')}`])
    expect(others).toBe(2)
  })

  it('is told of a report that cannot be written, before anything is played', async () => {
    const nowhere = join(temporaryFolder(), 'no', 'folder.xml')
    const { code, stdout, stderr } = await lifeboatHere(['gameday', scenario(), '--junit', nowhere])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/folder\.xml cannot be written \(ENOENT\)[^]*Nothing has been played/)
  })

  it('is told of all that is wrong in all the files', async () => {
    const { code, stderr } = await lifeboatHere(['gameday', scenario(fault('{ after: 1m }', '{ silense: x }')), scenario({ expect: '{}' }), '--quiet'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/silense[^]*lacks "outcome"/)
  })
})
