import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Scorecard } from '../../src/gameday/index.js'
import { lifeboat, root, temporaryFolder, type Ended } from '../helpers/cli.js'
import { playedForReal } from '../helpers/gameday-tables.js'

const hour = 3_600_000
const folder = join(root, 'fixtures/gamedays')
const shipped = readdirSync(folder).filter((name) => name.endsWith('.yaml')).map((name) => join(folder, name))
/** All of them with SIMULATE=all, as in CI; else some. */
const played = process.env['SIMULATE'] === 'all' ? shipped : shipped.filter((_, index) => index % 5 === 3)

function cardsOf({ stdout }: Pick<Ended, 'stdout'>): readonly Scorecard[] {
  return (JSON.parse(stdout) as { readonly scenarios: readonly Scorecard[] }).scenarios
}

const game = (...args: readonly string[]): Promise<Ended> => lifeboat(['gameday', ...args]).ended

/** A scenario of data100 with one fault, that is over as soon as its plan is refused. */
function short(fault: string, expected: string, name = 'short'): string {
  const path = join(temporaryFolder(), `${name}.yaml`)
  const lines = [
    'apiVersion: lifeboat/gameday/v1',
    `name: ${name}`,
    'reason: of a test',
    `runbook: ${join(root, 'runbooks/minimal.yaml')}`,
    'hypothesis: it is judged',
    `faults: [${fault}]`,
    `expect: ${expected}`,
  ]
  writeFileSync(path, `${lines.join('\n')}\n`)
  return path
}

describe('the scenarios that come with it', () => {
  it('give the verdict that they state, twice in a row and with the same events', { timeout: hour }, async () => {
    const junit = join(temporaryFolder(), 'gameday.xml')
    // By one command: a worker that knows its code already is much quicker.
    const again = process.env['SIMULATE'] === 'all' ? played : played.slice(0, 2)
    const twice = [...played, ...again]
    const ended = await game(...twice, '--json', '--junit', junit)
    expect(ended.code, ended.stdout + ended.stderr).toBe(0)
    const cards = cardsOf(ended)
    expect(cards.map(({ verdict }) => verdict)).toEqual(twice.map(() => 'passed'))
    expect(cards.slice(played.length)).toEqual(cards.slice(0, again.length))
    const report = readFileSync(junit, 'utf8')
    expect(report).toMatch(/<testsuites [^>]*failures="0">/)
    expect(report.match(/<testsuite /g)).toHaveLength(twice.length)
  })
})

// The README has one that is played with every `npm test`.
describe.skipIf(process.env['SIMULATE'] !== 'all')('the same for real', () => {
  // Slower than they say: this machine has other tests to do as well.
  it('give the verdict that they state with the real programs, too', { timeout: hour }, async () => {
    const files = playedForReal.map((name) => join(folder, `${name}.yaml`))
    const { code, stdout, stderr } = await game(...files, '--real', '--speed', '60', '--json')
    expect(code, stdout + stderr).toBe(0)
    expect(cardsOf({ stdout }).map(({ verdict, realSpeed }) => [verdict, realSpeed])).toEqual(files.map(() => ['passed', 60]))
  })

  it('fails where a fault never fired, though the program came to the end that is expected', async () => {
    const refuse = '{ id: refused, when: { call: PUT resourceGroups }, do: { refuse: { status: 403, code: AuthorizationFailed, times: 9 } } }'
    const never = '{ id: never, when: { step: cluster, is: failed }, do: { laptop: dies } }'
    const { code, stdout } = await game(short(`${refuse}, ${never}`, '{ outcome: stopped }'), '--real', '--speed', '120')
    expect(code).toBe(1)
    expect(stdout).toMatch(/for real, in a world 120 times as fast[^]*1 refused \(refuse\): at [^]*✗ fault 2 \(never\) never fired[^]*✓ outcome: stopped/)
  })
})

describe('a game day', () => {
  it('fails where a fault never fired or an expectation does not hold, and says which, and what was there instead', async () => {
    const never = '{ id: never, when: { step: group, is: failed }, do: { laptop: dies } }'
    // Nothing is at work yet that could be killed.
    const idle = '{ id: idle, when: { after: 0s }, do: { laptop: dies } }'
    const refuse = '{ id: refused, when: { call: PUT resourceGroups }, do: { refuse: { status: 403, code: AuthorizationFailed } } }'
    const unfired = short(`${never}, ${idle}`, '{ outcome: succeeded }', 'unfired')
    const unmet = short(refuse, '{ outcome: succeeded, converged: false }', 'unmet')
    const { code, stdout } = await game(unfired, unmet)
    expect(code).toBe(1)
    const [first = '', second = ''] = stdout.split('── unmet ──')
    expect(first).toMatch(/FAILED[^]*✗ fault 1 \(never\) never fired: its moment did not come\n *✗ fault 2 \(idle\) never fired: nothing met it/)
    expect(second).toMatch(/✗ outcome: succeeded; found: stopped/)
    expect(stdout).toMatch(/0 passed, 2 failed/)
  })

  it('has other latencies by another seed, and comes to the same verdict', async () => {
    const refuse = short('{ id: refused, when: { call: PUT resourceGroups }, do: { refuse: { status: 403, code: AuthorizationFailed } } }', '{ outcome: stopped }')
    const cards = await Promise.all([[], ['--seed', '11'], ['--seed', '11']].map(async (seed) => cardsOf(await game(refuse, ...seed, '--json'))[0]))
    expect(cards.map((card) => card?.verdict)).toEqual(['passed', 'passed', 'passed'])
    expect(cards[1]).toMatchObject({ seed: 11 })
    expect(cards[2]).toEqual(cards[1])
    expect(cards[0]?.events.digest).not.toBe(cards[1]?.events.digest)
  })

  it('counts what stands in the way as met only by whoever runs into it, and what changes nothing not at all', async () => {
    const fault = (id: string, what: string, when = '{ after: 0s }'): string => `{ id: ${id}, when: ${when}, do: ${what} }`
    const late = '{ step: say-moved, is: verified }'
    const idle = [
      fault('others-quota', '{ quota: { of: standardDSv5Family, limit: 1 } }'),
      fault('same-quota', '{ quota: { of: standardDASv5Family, limit: 350 } }'),
      fault('others-size', '{ noCapacity: Standard_E64_v3 }'),
      fault('had-anyway', '{ capacity: Standard_E64s_v3 }'),
      fault('late-lock', '{ lock: { group: physics-nfs, level: ReadOnly } }', late),
      fault('late-silence', '{ silence: physics-nfs/physics-nfs }', late),
      fault('late-refusal', '{ login: refused }', late),
      fault('awake', '{ wake: physics-nfs }'),
      fault('runs', '{ powerOn: physics-nfs }'),
      fault('enabled', '{ subscription: enabled }'),
      fault('restored', '{ login: restored }'),
      fault('unlocked', '{ unlock: physics-nfs }'),
      fault('nothing-deleted', '{ somebody: { does: DELETE /resourceGroups/physics-nfs/providers/Microsoft.Compute/disks/nowhere } }'),
    ]
    // Seen by the look before anything is begun.
    const seen = ['{ quota: { of: cores, limit: 3 } }', '{ noCapacity: Standard_E4s_v5 }', '{ lock: { group: physics-nfs, level: ReadOnly } }']
    const met = [fault('disabled', '{ subscription: disabled }', '{ step: group, is: started }')]
    const { code, stdout, stderr } = await game(
      short(idle.join(', '), '{ outcome: succeeded }', 'idle'),
      ...seen.map((what, index) => short(fault('seen', what), '{ outcome: not-ready }', `seen-${index}`)),
      short(met.join(', '), '{ outcome: stopped }', 'met'),
      '--json',
    )
    expect(code, stderr).toBe(1)
    const [nothing, ...others] = cardsOf({ stdout })
    expect(nothing?.neverFired.map((line) => /\((.+?)\)/.exec(line)?.[1])).toEqual(idle.map((line) => /id: ([\w-]+)/.exec(line)?.[1]))
    expect(nothing?.expectations.filter(({ held }) => held === false)).toEqual([])
    expect(others.map(({ verdict, neverFired }) => [verdict, neverFired])).toEqual([...seen, ...met].map(() => ['passed', []]))
  })
})
