import { describe, expect, it } from 'vitest'
import { outcomeByCode, type Evidence } from '../../src/gameday/evidence.js'
import { judge } from '../../src/gameday/judge.js'
import { junitXml, ScriptedOperator, scenarioSchema, scorecardLines, scorecardOf, uncertifiedIn, type Scenario, type Scorecard } from '../../src/gameday/index.js'
import type { WorldView } from '../../src/gameday/oracle/world-view.js'

const minute = 60_000
const server = (group: string): string => `/subscriptions/s/resourceGroups/${group}/providers/Microsoft.Compute/virtualMachines/nfs`
const diskIn = (group: string): string => `/subscriptions/s/resourceGroups/${group}/providers/Microsoft.Compute/disks/homes`

/** A world of one hub, one server and one disk in a group; at the address where its name leads the hub answers. */
function worldIn(group: string, address: string, facts: Partial<WorldView> = {}): WorldView {
  return {
    t: '2026-01-01T00:00:00.000Z',
    clusters: [],
    vms: [{ id: server(group), powerState: 'running', provisioningState: 'Succeeded', dataDisks: [] }],
    disks: [{ id: diskIn(group), uniqueId: 'u', diskState: 'Attached', managedBy: server(group), moves: 0 }],
    snapshots: [],
    resources: [],
    groups: [],
    recordSets: [{ zone: 'example.edu', name: 'hub', type: 'A', ttl: 60, values: [address], published: { ttl: 60, values: [address] } }],
    releases: [{ cluster: 'c', namespace: 'n', name: 'twice', revision: 2, status: 'deployed' }],
    pools: [{ guid: '1', name: 'homes', disks: ['u'], health: 'ONLINE', exported: false, importedOn: [server(group)] }],
    hosts: [{ machine: server(group), answers: true, nfs: true, exports: [{ path: '/homes', clients: '*' }] }],
    hubs: [{ host: 'hub.example.edu', address, answers: true, certificate: 'CN=hub.example.edu' }],
    operations: [{ what: 'attach', resource: server(group), also: [diskIn(group)], status: 'succeeded' }],
    violations: [],
    ...facts,
  }
}

function scenarioThat(expected: object): Scenario {
  return scenarioSchema.parse({
    apiVersion: 'lifeboat/gameday/v1',
    name: 'judged',
    reason: 'r',
    runbook: 'r.yaml',
    hypothesis: 'it holds',
    faults: [{ id: 'dies', when: { after: '1m' }, do: { laptop: 'dies' } }],
    expect: { outcome: 'succeeded', ...expected },
  })
}

function evidence(facts: Partial<Evidence> = {}): Evidence {
  const [fault] = scenarioThat({}).faults
  return {
    start: worldIn('old', '192.0.2.1'),
    end: worldIn('new', '192.0.2.2'),
    deeds: [{ act: 'run', line: 'lifeboat run', startMs: 0, endMs: 40 * minute, outcome: 'succeeded', said: 'the pool is 97 % full' }],
    events: [],
    asked: [{ atMs: minute, step: 'fence', asks: 'failure', text: 'it does not answer', answer: 'stop' }],
    unusedAnswers: [],
    faults: fault === undefined ? [] : [{ id: 'dies', fault, inflictedMs: minute, struck: [{ atMs: minute, what: 'the program was killed' }] }],
    calls: [{ method: 'PUT', path: '/subscriptions/s/x/disks/homes' }],
    files: new Map(),
    violations: [],
    ...facts,
  }
}

/** What does not hold. */
function wrong(expected: object, facts: Partial<Evidence> = {}): readonly string[] {
  return judge(scenarioThat(expected), evidence(facts)).expectations.flatMap(({ held, what, found }) => (held ? [] : [`${what}; ${found ?? ''}`]))
}

describe('a game day is judged', () => {
  it('by how its last command ended, and when', () => {
    expect(wrong({ within: '45m' })).toEqual([])
    expect(wrong({ outcome: 'stopped', within: '30m' })).toEqual(['outcome: stopped; succeeded', 'within 30m; 40m'])
    // What a colleague did meanwhile is not the last command.
    const aside = { act: 'aside', line: 'a colleague', startMs: 0, endMs: 50 * minute, outcome: 'locked', said: '' } as const
    expect(wrong({ within: '45m' }, { deeds: [...evidence().deeds, aside] })).toEqual([])
  })

  it('by whether the tool itself has a defect, whatever is expected, and whoever met it', () => {
    const broken = (act: 'run' | 'aside') => ({ act, line: 'lifeboat run', startMs: 0, endMs: minute, outcome: 'stopped', said: 'error: Invalid time [tool.bug]' }) as const
    const found = [expect.stringMatching(/^the program has met no defect of its own; lifeboat run: error: Invalid time/)]
    expect(wrong({ outcome: 'stopped' }, { deeds: [broken('run')] })).toEqual(found)
    expect(wrong({}, { deeds: [broken('aside'), ...evidence().deeds] })).toHaveLength(1)
    const crashed = { ...broken('run'), outcome: 'crashed', said: '' } as const
    expect(wrong({}, { deeds: [crashed, ...evidence().deeds] })).toHaveLength(1)
    const failed = { type: 'step.failed', step: 'move', error: { code: 'tool.bug', message: 'Invalid time' } }
    expect(wrong({}, { events: [failed] as unknown as Evidence['events'] })).toHaveLength(1)
    expect(judge(scenarioThat({}), evidence()).expectations).toContainEqual({ what: 'the program has met no defect of its own', held: true })
  })

  it('by exit codes that are agreed on: another one is an outcome that no scenario can expect', () => {
    expect([0, 1, 5, 134, 10].map(outcomeByCode)).toEqual(['succeeded', 'stopped', 'locked', 'crashed', 'crashed'])
    expect(() => scenarioThat({ outcome: 'crashed' })).toThrow()
  })

  it('by its times only where they are those of the world: played for real they are shown', () => {
    const { passed, expectations } = judge(scenarioThat({ within: '30m' }), evidence({ realSpeed: 120 }))
    expect(passed).toBe(true)
    expect(expectations).toContainEqual({ what: 'within 30m, not judged at speed 120', held: null, found: '40m' })
    expect(judge(scenarioThat({ within: '30m' }), evidence()).passed).toBe(false)
  })

  it('by what the operator was told and asked', () => {
    expect(wrong({ told: ['97 % full', '/DOES not/'], asked: [{ step: 'fence', asks: 'failure', times: 1 }] })).toEqual([])
    const expected = { told: ['98 %'], notTold: ['/9[0-9] %/'], asked: [{ step: 'fence', asks: 'gate' }, { step: 'fence', asks: 'failure', times: 0 }] }
    expect(wrong(expected)).toEqual([
      'told: 98 %; nothing like it was said',
      'not told: /9[0-9] %/; it was said',
      'asked: gate of fence; 0 times',
      'asked: failure of fence, 0 times; once',
    ])
    expect(wrong({}, { unusedAnswers: ['gate of move'] })).toEqual([expect.stringContaining('gate of move')])
  })

  it('by what was told, however a terminal has broken it into lines', () => {
    const [deed] = evidence().deeds
    if (deed === undefined) throw new TypeError('no deed')
    const broken = { deeds: [{ ...deed, said: 'the pool is\n      97 % full\nand goes on' }] }
    expect(wrong({ told: ['pool is 97 %', '/is 97 %/', '/full\\nand/'] }, broken)).toEqual([])
    expect(wrong({ notTold: ['is 97 %', '/is 97 %/', '/full\\nand/'] }, broken)).toHaveLength(3)
  })

  it('by whether advice that was to be followed had a command in it', () => {
    const advice = { act: 'advice', line: 'followed the advice: there was no command in it', startMs: 0, endMs: 0, said: '', isVain: true } as const
    expect(wrong({}, { deeds: [...evidence().deeds, advice] })).toEqual([expect.stringContaining('advice')])
  })

  it('by no whole failover where the last command has gone on with an undo', () => {
    const resumed = { act: 'resume', line: 'lifeboat resume', startMs: 0, endMs: minute, outcome: 'succeeded', said: '', isUndo: true } as const
    expect(wrong({}, { deeds: [resumed], end: worldIn('new', '192.0.2.2', { hubs: [] }) })).toEqual([])
    const [deed] = evidence().deeds
    if (deed === undefined) throw new TypeError('no deed')
    const card = scorecardOf(scenarioThat({}), evidence({ deeds: [{ ...deed, outcome: 'killed' }, resumed] }), { file: 'x', seed: 7, objectiveMs: undefined, digest: '' })
    expect(card.recovery.tookMs).toBeNull()
  })

  it('by the oracle, whether the scenario says so or not', () => {
    const seen = { violations: ['pool homes is imported on a and b'] }
    expect(wrong({}, seen)).toEqual(['nothing happened that must never happen; pool homes is imported on a and b'])
    expect(wrong({ violations: ['is imported on'] }, seen)).toEqual([])
    expect(wrong({ violations: ['is imported on'] })).toEqual(['the oracle sees: is imported on; nothing like it was said'])
    const half = { end: worldIn('new', '192.0.2.2', { hubs: [] }) }
    expect(wrong({}, half)).toEqual([expect.stringContaining('the failover is whole at the end; hub.example.edu leads to 192.0.2.2, where it does not answer')])
    expect(wrong({ converged: false }, half)).toEqual([])
  })

  it('by whether all is as it was, where that is expected', () => {
    const undone = { act: 'undo', line: 'lifeboat undo', startMs: 0, endMs: minute, outcome: 'succeeded', said: '', isUndo: true } as const
    const moved = worldIn('old', '192.0.2.1')
    const back = { ...moved, disks: moved.disks.map((disk) => ({ ...disk, moves: 2 })) }
    expect(wrong({ asAtStart: true }, { deeds: [undone], end: back })).toEqual([])
    expect(wrong({ asAtStart: true }, { deeds: [undone] })).toEqual([expect.stringMatching(/as it was; - disk .*resourcegroups\/old.*; - host/)])
  })

  it.each([
    [{ pool: { name: 'homes', on: 'new', health: 'ONLINE' } }, { pool: { name: 'homes', on: 'old' } }],
    [{ pool: { name: 'homes', on: 'new/nfs' } }, { pool: { name: 'homes', on: 'nobody' } }],
    [{ name: { host: 'hub.example.edu', leads: 'to-its-hub' } }, { name: { host: 'hub.example.edu', leads: 'unchanged' } }],
    [{ name: { host: 'hub.example.edu', leads: '192.0.2.2' } }, { name: { host: 'hub.example.edu', leads: '192.0.2.1' } }],
    [{ hub: { host: 'hub.example.edu', answers: true } }, { hub: { host: 'hub.example.edu', answers: false } }],
    [{ disk: { name: 'homes', in: 'NEW' } }, { disk: { name: 'homes', in: 'old' } }],
    [{ machine: { name: 'new/nfs', power: 'running' } }, { machine: { name: 'nfs', power: 'deallocated' } }],
    [{ release: { name: 'hub', status: 'absent' } }, { release: { name: 'hub', status: 'deployed' } }],
    [{ release: { name: 'twice', status: 'deployed', revision: 2 } }, { release: { name: 'twice', status: 'deployed', revision: 1 } }],
    [{ cluster: { name: 'c', state: 'absent' } }, { cluster: { name: 'c', state: 'Succeeded' } }],
    [{ operation: { name: 'attach', times: 1, on: 'disks/homes' } }, { operation: { name: 'attach', times: 1, status: 'failed' } }],
    [{ calls: { call: 'PUT disks', times: 1 } }, { calls: { call: 'PUT disks', atMost: 0 } }],
    [{ file: { env: 'D', name: 'target', says: 'new' } }, { file: { env: 'D', name: 'target', says: 'old' } }],
    [{ file: { env: 'D', name: 'target', says: ' new' } }, { file: { env: 'D', name: 'elsewhere', says: 'absent' } }],
  ])('by what the world looks like: %j and not %j', (holds, fails) => {
    const files = new Map([['D/target', 'new\n']])
    expect(wrong({ world: [holds] }, { files })).toEqual([])
    expect(wrong({ world: [fails] }, { files })).toHaveLength(1)
  })

  it('by its faults: one that met nothing, or whose moment did not come, fails it', () => {
    const [fault] = evidence().faults
    if (fault === undefined) throw new TypeError('no fault')
    const never = (facts: object): readonly string[] => {
      const faults = [{ id: fault.id, fault: fault.fault, struck: [], ...facts }]
      return judge(scenarioThat({}), evidence({ faults })).neverFired
    }
    expect(never({ inflictedMs: minute })).toEqual(['fault 1 (dies) never fired: nothing met it'])
    expect(never({})).toEqual(['fault 1 (dies) never fired: its moment did not come'])
    expect(never({ inflictedMs: minute, wrong: 'there is no machine nfs yet' })).toEqual(['fault 1 (dies) never fired: there is no machine nfs yet'])
  })
})

describe('a scorecard', () => {
  const card = (expected: object, facts: Partial<Evidence> = {}): Scorecard =>
    scorecardOf(scenarioThat(expected), evidence(facts), { file: 'x.yaml', seed: 7, objectiveMs: 45 * minute, digest: 'sha256:0' })

  it('tells the hypothesis before and after, faults, recovery, questions and each expectation', () => {
    const lines = scorecardLines(card({ told: ['98 %'] })).join('\n')
    expect(lines).toContain('Before: it holds\nAfter:  it did not hold: 1 of its expectations did not\n')
    expect(lines).toContain('1 dies (laptop): at 1m, the program was killed')
    expect(lines).toContain('Recovery: 40m; objective 45m, met with 5m to spare')
    expect(lines).toContain('1m: failure of fence: it does not answer → stop')
    expect(lines).toContain('✓ outcome: succeeded\n  ✓ the program has met no defect of its own\n  ✗ told: 98 %; found: nothing like it was said')
  })

  it('counts no recovery by an exit code alone: what it left has to be whole, and whoever shows no certificate of its own is named', () => {
    const half = card({ converged: false }, { deeds: evidence().deeds.map((deed) => ({ ...deed, missing: ['the hub does not answer'] })) })
    expect(half.recovery).toMatchObject({ tookMs: null })
    expect(scorecardLines(half).join('\n')).toContain('Recovery: none; objective 45m; what succeeded is not whole')
    const early = worldIn('new', '192.0.2.2', { hubs: [{ host: 'hub.example.edu', address: '192.0.2.2', answers: true, certificate: 'CN=ingress.local' }] })
    const uncertified = uncertifiedIn(early)
    expect([uncertified, uncertifiedIn(worldIn('new', '192.0.2.2'))]).toEqual([['hub.example.edu'], []])
    const lines = scorecardLines(card({}, { deeds: evidence().deeds.map((deed) => ({ ...deed, uncertified })) })).join('\n')
    expect(lines).toContain('Recovery: 40m; objective 45m, met with 5m to spare; without a certificate of its own yet: hub.example.edu\n')
  })

  it('counts as recovery the first success that was whole when it ended, whatever became of it, but for what the scenario expects the oracle to see', () => {
    const done = (endMs: number, missing: readonly string[], isUndo = false) =>
      ({ act: 'run', line: 'lifeboat run', startMs: 0, endMs, outcome: 'succeeded', said: '', missing, isUndo }) as const
    const took = (expected: object, deeds: Evidence['deeds']): number | null =>
      card(expected, { deeds, end: worldIn('new', '192.0.2.2', { hubs: [] }) }).recovery.tookMs
    expect(took({}, [done(40, ['x is locked']), done(50, [], true), done(60, []), done(70, [])])).toBe(60)
    const torn = [done(40, ['the world saw: a was detached'])]
    expect([took({}, torn), took({ violations: ['was detached'] }, torn)]).toEqual([null, 40])
  })

  it('tells a question that nobody has answered', () => {
    const asked = [{ atMs: minute, step: 'move', asks: 'gate', text: 'Go on?', answer: null }] as const
    expect(scorecardLines(card({}, { asked })).join('\n')).toContain('1m: gate of move: Go on? → unanswered')
  })

  it('says that it was played for real, and that its times are not promised', () => {
    const real = card({ within: '30m' }, { realSpeed: 120 })
    const lines = scorecardLines(real).join('\n')
    expect(lines).toContain("── PASSED\n   x.yaml, for real, in a world 120 times as fast; times are the world's, and not promised\n")
    expect(lines).toContain('Recovery: 40m; objective 45m\n')
    expect(lines).toContain('· within 30m, not judged at speed 120; found: 40m')
    expect(junitXml([real])).toContain('<testcase name="within 30m, not judged at speed 120" classname="x.yaml"><skipped/></testcase>')
    expect(junitXml([real])).toContain('failures="0"')
  })

  it('is written as JUnit XML, whatever the texts hold', () => {
    const xml = junitXml([card({ told: ['<&"\u0007>'] })])
    expect(xml).toContain('<testsuite name="judged" file="x.yaml" tests="6" failures="1" time="2400.000">')
    expect(xml).toContain('<testcase name="told: &lt;&amp;&quot;?&gt;" classname="x.yaml"><failure message="nothing like it was said"/></testcase>')
    expect(xml).toContain('<testcase name="fault dies fires" classname="x.yaml"/>')
  })
})

describe('a scripted operator', () => {
  const answers = (given: readonly object[]): ScriptedOperator => {
    const { operator } = scenarioSchema.parse({ ...file, operator: { answers: given } })
    return new ScriptedOperator(operator.answers, { nowMs: () => 0, wait: async () => undefined })
  }
  const file = {
    apiVersion: 'lifeboat/gameday/v1', name: 'x', reason: 'x', runbook: 'x', hypothesis: 'x',
    faults: [{ id: 'f', when: { after: '1m' }, do: { laptop: 'dies' } }], expect: { outcome: 'succeeded' },
  }
  const failure = (alternative?: string) => ({
    kind: 'failure' as const,
    step: 'move',
    error: { code: 'x', message: 'it failed', blame: 'cloud' as const, retryable: false, ...(alternative && { alternative: { id: alternative, offer: 'another way', changes: [] } }) },
  })
  const said = async (operator: ScriptedOperator, question: Parameters<ScriptedOperator['ask']>[0]): Promise<string> =>
    (await operator.ask(question, new AbortController().signal)).choice

  it('answers in the order of the script, and then as somebody who takes no risk', async () => {
    const operator = answers([{ step: 'move', asks: 'failure', answer: 'retry', times: 2 }])
    expect([await said(operator, failure()), await said(operator, failure()), await said(operator, failure())]).toEqual(['retry', 'retry', 'stop'])
    expect(await said(operator, { kind: 'gate', step: 'move', text: 'Go on?' })).toBe('go')
    expect(operator.unused).toEqual([])
    expect(operator.asked.map(({ text }) => text)).toContain('it failed')
  })

  it('takes another way only where one is offered', async () => {
    const script = [{ step: 'move', asks: 'failure', answer: 'accept' }]
    expect([await said(answers(script), failure('across')), await said(answers(script), failure())]).toEqual(['accept', 'stop'])
    expect(answers(script).unused).toHaveLength(1)
  })

  it('has been asked as soon as the question comes, and has answered only whoever lived until then', async () => {
    const { operator } = scenarioSchema.parse({ ...file, operator: { answers: [{ step: 'move', asks: 'gate', answer: 'stop', after: '10m' }] } })
    let come: () => void = () => undefined
    const scripted = new ScriptedOperator(operator.answers, { nowMs: () => 0, wait: () => new Promise((resolve) => (come = resolve)) })
    const gate = { kind: 'gate', step: 'move', text: 'Go on?' } as const
    const life = new AbortController()
    let isDelivered = false
    void scripted.forLife(life.signal).ask(gate, new AbortController().signal).finally(() => (isDelivered = true))
    await Promise.resolve()
    expect(scripted.asked).toMatchObject([{ step: 'move', asks: 'gate', answer: null }])
    life.abort()
    // The next life asks again, and need not wait for what the dead one was waiting for.
    const again = scripted.forLife(new AbortController().signal).ask(gate, new AbortController().signal)
    await new Promise((resolve) => setImmediate(resolve))
    expect([scripted.unused.length, scripted.asked.length]).toEqual([1, 2])
    come()
    expect((await again).choice).toBe('stop')
    expect([isDelivered, scripted.unused, scripted.asked.map(({ answer }) => answer)]).toEqual([false, [], [null, 'stop']])
  })

  it('has answered nothing where the question was withdrawn meanwhile', async () => {
    const operator = answers([{ step: 'move', asks: 'gate', answer: 'stop' }])
    const withdrawn = new AbortController()
    const answer = operator.ask({ kind: 'gate', step: 'move', text: 'Go on?' }, withdrawn.signal)
    withdrawn.abort(new Error('nobody has to answer any more'))
    await expect(answer).rejects.toThrow('nobody has to answer any more')
    expect(operator.unused).toHaveLength(1)
  })
})
