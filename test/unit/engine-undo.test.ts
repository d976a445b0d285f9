import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { LifeboatError, Secret, anyStep, type AnyStep, type Change, type Inverse, type Observation } from '../../src/contract/index.js'
import { readContext } from '../../src/engine/look.js'
import { backwards, courseBack } from '../../src/engine/undo.js'
import { fold, Journal } from '../../src/journal/index.js'
import type { Runbook } from '../../src/runbook/index.js'
import { Records, started } from '../helpers/journal-samples.js'
import { idOf, perform, step, Switches } from '../helpers/switches.js'

type Look = Observation<Record<string, unknown>, { readonly now: string }>

/** A thing with a value: wanted is `new`, and before the run it was `old`. */
const made: Change = { resource: 'thing', action: 'update', before: { value: 'old' }, after: { value: 'new' } }

function thing(look: Look, invert?: (changes: readonly Change[]) => readonly Inverse[]): AnyStep<unknown> {
  return anyStep<Record<string, unknown>, Record<string, unknown>, string, { readonly now: string }, unknown>({
    uses: 'test/thing',
    summary: '',
    inputs: z.object({}),
    outputs: z.object({}),
    identity: [],
    verification: () => ({ everyMs: 1, withinMs: 1 }),
    preflight: async () => [],
    observe: async () => look,
    plan: (_inputs, seen) => [{ ...made, before: { value: seen.state === 'drifted' ? seen.seen.now : 'nothing' } }],
    apply: async () => undefined,
    invert: invert ?? ((changes) => changes.map(({ resource, before, after }) => ({ resource, action: 'update', before: after ?? null, after: before ?? null }))),
    claims: () => [],
    estimateMs: () => 1,
  })
}

const clock = {
  now: () => new Date(0),
  realNow: () => new Date(0),
  sleep: async () => undefined,
  sleepReal: async () => undefined,
  toReal: (ms: number) => ms,
}
const noSecrets = { digest: () => '', read: () => new Secret('') }
const ctx = readContext<unknown>({}, clock, new AbortController().signal, () => undefined, new Set(), noSecrets)

const looked = async (look: Look): Promise<[string, readonly Change[]]> => {
  const back = backwards(thing(look), [made])
  const seen = await back.observe({}, ctx)
  return [seen.state, seen.state === 'drifted' ? back.plan({}, seen) : []]
}

describe('a step driven backwards', () => {
  it('puts the old value back while all is as the run left it', async () => {
    const [state, changes] = await looked({ state: 'converged', outputs: {} })
    expect(state).toBe('drifted')
    expect(changes).toEqual([{ resource: 'thing', action: 'update', before: { value: 'new' }, after: { value: 'old' } }])
  })

  it('is done once going forward would start from where the run started', async () => {
    expect(await looked({ state: 'drifted', seen: { now: 'old' } })).toEqual(['converged', []])
  })

  it('leaves alone what somebody has changed since', async () => {
    expect(await looked({ state: 'drifted', seen: { now: 'theirs' } })).toEqual(['conflict', []])
  })

  it('puts back what is half made, where the step says that it is', async () => {
    const halfMade = { ...thing({ state: 'drifted', seen: { now: 'half' } }), isBack: () => 'in-part' as const }
    expect((await backwards(halfMade, [made]).observe({}, ctx)).state).toBe('drifted')
  })

  it('takes what an intent without an outcome may still do for done, where that cannot be seen, until it has put it back', async () => {
    const unseen = { ...thing({ state: 'drifted', seen: { now: 'old' } }), unseen: true as const, apply: async () => undefined }
    const back = backwards(unseen, [made], true)
    expect((await back.observe({}, ctx)).state).toBe('drifted')
    await back.apply([], {}, { ...ctx, checkpoint: async () => undefined })
    expect((await back.observe({}, ctx)).state).toBe('converged')
    expect((await backwards(unseen, [made]).observe({}, ctx)).state).toBe('converged')
    expect((await backwards({ ...unseen, unseen: undefined } as never, [made], true).observe({}, ctx)).state).toBe('converged')
  })

  it('puts back what the run has made and whose making has failed, and leaves what it had only found', async () => {
    const failed = { state: 'conflict', why: 'it has failed', mend: 'delete it', halfMade: 'thing' } as const
    const creation: Change = { resource: 'thing', action: 'create', after: {} }
    expect(await backwards(thing(failed), [creation]).observe({}, ctx)).toEqual({ state: 'drifted', seen: [creation] })
    expect((await backwards(thing(failed), [{ ...creation, resource: 'part of thing' }]).observe({}, ctx)).state).toBe('conflict')
  })

  it('does not wait for what the run has made by half, nor take for done what something is still at work on', async () => {
    const creation: Change = { resource: 'thing', action: 'create', after: {} }
    expect(await backwards(thing({ state: 'in-flight', what: 'it boots', halfMade: 'thing' }), [creation]).observe({}, ctx)).toEqual({ state: 'drifted', seen: [creation] })
    expect((await backwards(thing({ state: 'in-flight', what: 'it boots', halfMade: 'another' }), [made]).observe({}, ctx)).state).toBe('in-flight')
    const busy = thing({ state: 'converged', outputs: {}, busy: 'it is being changed' })
    expect(await backwards(busy, [made]).observe({}, ctx)).toEqual({ state: 'in-flight', what: 'it is being changed', seen: [made] })
  })

  it('is done where something stands in the way of going forward, and nothing is to be put back', async () => {
    const kept = thing({ state: 'conflict', why: 'the copy has failed', mend: 'delete it' }, (changes) => changes.map(({ resource }) => ({ resource, kept: 'a safety copy' })))
    expect((await backwards(kept, [made]).observe({}, ctx)).state).toBe('converged')
  })

  it('stays unknown where the step cannot tell', async () => {
    expect(await looked({ state: 'unknown', why: 'no answer' })).toEqual(['unknown', []])
  })

  it('waits while something is under way, and shows what may have to be put back then', async () => {
    expect(await backwards(thing({ state: 'in-flight', what: 'being made' }), [made]).observe({}, ctx)).toEqual({ state: 'in-flight', what: 'being made', seen: [made] })
    const error = new LifeboatError('thing.stuck', 'it hangs')
    const offering = new LifeboatError('thing.stuck', 'it hangs', { alternative: { id: 'force', offer: 'take it', changes: [] } })
    const watched = (now: string, patience = { ms: 7, error }): Promise<unknown> =>
      backwards(thing({ state: 'in-flight', what: 'being made', patience, seen: { now } }), [made]).observe({}, ctx)
    const waits = { state: 'in-flight', what: 'being made' }
    // As long as on the way out, and shown as what it will be then.
    expect(await watched('old')).toEqual({ ...waits, patience: { ms: 7, error } })
    expect(await watched('another')).toEqual({ ...waits, patience: { ms: 7, error }, seen: [made] })
    expect(await watched('old', { ms: 7, error: offering })).toEqual(waits)
  })

  it.each([
    ['what cannot be put back', { resource: 'thing', irreversible: 'nobody knows how' }],
    ['what is better kept', { resource: 'thing', kept: 'a safety copy' }],
  ])('has nothing to do for %s', async (_what, inverse) => {
    const back = backwards(thing({ state: 'converged', outputs: {} }, (changes) => changes.map(() => inverse)), [made])
    expect((await back.observe({}, ctx)).state).toBe('converged')
  })
})

const env = (): undefined => undefined

describe('the way back of a run', () => {
  it('waits for what changed the same thing further down, though neither has waited for the other on the way out', () => {
    const claiming = (record: string): AnyStep<unknown> => ({ ...thing({ state: 'absent' }), claims: () => [{ resource: `record:${record}`, mode: 'alone' }] })
    const nodes = [step('ttl'), step('staging'), step('prod'), step('other')]
    const registry = new Map([['test/ttl', claiming('a')], ['test/staging', claiming('a')], ['test/prod', claiming('a')], ['test/other', claiming('b')]])
    const records = nodes.reduce((all, { id }) => all.add('step.intent', { step: id, changes: [made] }), new Records().add('run.started', started))
    const { runbook } = courseBack({ runbook: { nodes } as unknown as Runbook, registry, env }, fold(records.list))
    expect(runbook.nodes.map(({ id, needs }) => [id, needs])).toEqual([
      ['other', []],
      ['prod', []],
      ['staging', ['prod']],
      ['ttl', ['prod', 'staging']],
    ])
  })

  describe('of what something rests on that the run has only found (a pool that a person has imported on its disks)', () => {
    const claiming = (resource: string, module: AnyStep<unknown>): AnyStep<unknown> => ({ ...module, claims: () => [{ resource, mode: 'alone' }] })
    const nodes = [step('disks'), step('cluster'), step('pool', ['disks', 'cluster'])]
    const found = (seen: Look, records: Records, rests = true) => {
      const registry = new Map([
        ['test/disks', claiming('machine:new', thing({ state: 'absent' }))],
        ['test/cluster', claiming('cluster', thing({ state: 'absent' }))],
        ['test/pool', claiming('machine:new', { ...thing(seen), ...(rests ? { rests: 'Take it away.' } : {}) })],
      ])
      const { modules } = courseBack({ runbook: { nodes } as unknown as Runbook, registry, env }, fold(records.list))
      return (id: string) => modules.get(id)?.preflight([made], {}, { ...ctx, planned: () => [] })
    }
    const ran = () => new Records().add('run.started', started)
      .add('step.intent', { step: 'disks', changes: [made] })
      .add('step.intent', { step: 'cluster', changes: [made] })
    const verified = () => ran().add('step.verified', { step: 'pool', outputs: {}, changes: 0, elapsedMs: 1 })
    const there: Look = { state: 'converged', outputs: {} }

    it('stops while it is there, as wanted or not, and says so of nothing else', async () => {
      for (const seen of [there, { state: 'drifted', seen: { now: 'half' } } as const]) {
        const preflight = found(seen, verified())
        expect(await preflight('disks')).toMatchObject([{ level: 'stop', what: expect.stringContaining('pool still stands on this') as string, mend: 'Take it away.' }])
        expect(await preflight('cluster')).toEqual([])
      }
    })

    it('stops as well once a later life of the run has looked at that again, however that ended', async () => {
      const again = () => verified().add('step.started', { step: 'pool', uses: 'test/pool', attempt: 2 })
      const error = { code: 'step.unknown', message: 'no answer', blame: 'cloud', retryable: false } as const
      for (const records of [again(), again().add('step.failed', { step: 'pool', error, elapsedMs: 1 })]) {
        expect(await found(there, records)('disks')).toMatchObject([{ level: 'stop' }])
      }
    })

    it('goes on once it is gone, where the run has made it itself, and where it rests on nothing', async () => {
      expect(await found({ state: 'absent' }, verified())('disks')).toEqual([])
      expect(await found(there, ran().add('step.intent', { step: 'pool', changes: [made] }).add('step.verified', { step: 'pool', outputs: {}, changes: 1, elapsedMs: 1 }))('disks')).toEqual([])
      expect(await found(there, ran())('disks')).toEqual([])
      expect(await found(there, verified(), false)('disks')).toEqual([])
    })

    it('is not begun while that cannot be told', async () => {
      await expect(found({ state: 'unknown', why: 'gone' }, verified())('disks')).rejects.toMatchObject({ code: 'step.unknown', retry: {} })
    })
  })

  it('knows the steps that are not known to be over, and holds one that has failed for over', async () => {
    const world = new Switches()
    const stop = new AbortController()
    world.during = async (id) => {
      if (id === 'a') throw new LifeboatError('azure.refused', 'no')
      stop.abort(new LifeboatError('interrupted.SIGINT', 'stopped'))
      stop.signal.throwIfAborted()
    }
    const nodes = [step('a'), step('b', ['a'])]
    const { store } = await perform({ nodes, world, stop, answer: () => 'skip' })
    const { records } = await Journal.open(store, 'run', () => new Date(0))
    const registry = new Map(['a', 'b'].map((id) => [`test/${id}`, thing({ state: 'absent' })]))
    expect(courseBack({ runbook: { nodes } as unknown as Runbook, registry, env }, fold(records)).open).toEqual(['b'])
  })

  it('tells of what steps have changed that the runbook has no more', () => {
    const { list } = new Records().add('run.started', started).add('step.intent', { step: 'gone', changes: [made] }).add('step.intent', { step: 'a', changes: [made] })
    const { leftBehind } = courseBack({ runbook: { nodes: [step('a')] } as unknown as Runbook, registry: new Map([['test/a', thing({ state: 'absent' })]]), env }, fold(list))
    expect(leftBehind).toEqual([{ step: 'gone', resource: 'thing', why: 'its step is no longer in the runbook', kept: false }])
  })

  it('leaves out what is back once it has gone on behind it, also where a later life has only begun to look at that again', () => {
    const nodes = [step('a'), step('b', ['a']), step('c', ['b'])]
    const registry = new Map(nodes.map(({ id }) => [`test/${id}`, thing({ state: 'absent' })]))
    const ran = nodes.reduce((all, { id }) => all.add('step.intent', { step: id, changes: [made] }), new Records().add('run.started', started))
    const back = (records: Records, id: string) =>
      records.add('step.intent', { step: id, changes: [made] }).add('step.verified', { step: id, outputs: {}, changes: 1, elapsedMs: 1 })
    const undoing = back(back(new Records().add('run.started', started), 'c'), 'b')
    const left = () => {
      const { runbook } = courseBack({ runbook: { nodes } as unknown as Runbook, registry, env }, fold(ran.list), fold(undoing.list))
      return runbook.nodes.map(({ id }) => id)
    }
    expect(left()).toEqual(['b', 'a'])
    undoing.add('step.started', { step: 'b', uses: 'test/b', attempt: 2 })
    expect(left()).toEqual(['b', 'a'])
  })

  it('tells of what it leaves behind in which group that is, where its change says so', () => {
    const left = (after: Change['after']): unknown => {
      const changes = [{ ...made, ...(after === undefined ? {} : { after }) }]
      const { list } = new Records().add('run.started', started).add('step.intent', { step: 'a', changes })
      const module = thing({ state: 'absent' }, (all) => all.map(({ resource }) => ({ resource, kept: 'a safety copy' })))
      return courseBack({ runbook: { nodes: [step('a')] } as unknown as Runbook, registry: new Map([['test/a', module]]), env }, fold(list)).leftBehind
    }
    const facts = { step: 'a', resource: 'thing', why: 'a safety copy', kept: true }
    expect(left({ group: 'copies', incremental: true })).toEqual([{ ...facts, group: 'copies' }])
    expect(left({ value: 'new' })).toEqual([facts])
  })

  it('leaves out a group that it has made and in which something stays, and no other', () => {
    const group = (name: string): Change => ({ resource: `resourceGroup ${name}`, action: 'create', after: { location: 'here' } })
    const copy: Change = { resource: 'copy', action: 'create', after: { group: 'copies' } }
    const { list } = new Records()
      .add('run.started', started)
      .add('step.intent', { step: 'hubs', changes: [group('hubs')] })
      .add('step.intent', { step: 'group', changes: [group('Copies')] })
      .add('step.intent', { step: 'copy', changes: [copy] })
    const keeps = thing({ state: 'absent' }, (all) => all.map(({ resource }) => ({ resource, kept: 'a safety copy' })))
    const registry = new Map(['hubs', 'group', 'copy'].map((id) => [`test/${id}`, id === 'copy' ? keeps : thing({ state: 'absent' })]))
    const nodes = [step('hubs'), step('group'), step('copy', ['group'])]
    const { runbook, leftBehind } = courseBack({ runbook: { nodes } as unknown as Runbook, registry, env }, fold(list))
    expect(runbook.nodes.map(({ id, needs }) => [id, needs])).toEqual([['copy', []], ['hubs', []]])
    expect(leftBehind.map(({ step: of, resource, why }) => [of, resource, why])).toEqual([
      ['copy', 'copy', 'a safety copy'],
      ['group', 'resourceGroup Copies', 'copy is in it, and stays'],
    ])
  })

  it('refers to what the run had of each step, also of one that is back already and gives nothing itself', async () => {
    const world = new Switches()
    world.on.add('address')
    const nodes = [step('address'), step('network', ['address'], { address: idOf('address') })]
    const outputs = new Map([['address', { id: 'of the run' }]])
    const { outcome } = await perform({ nodes, world, outputs })
    expect(outcome).toBe('succeeded')
    const given = world.given.flatMap(([id, inputs]) => (id === 'network' ? [inputs] : []))
    // Once in the plan, and at least twice in the undo itself.
    expect(given.length).toBeGreaterThan(2)
    expect(new Set(given.map((inputs) => inputs['address']))).toEqual(new Set(['of the run']))
  })
})
