import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { anyStep, LifeboatError, type StepModule, type Write } from '../../src/contract/index.js'
import type { Platform } from '../../src/platform/platform.js'
import { clockOf } from '../../src/platform/clock/clock.js'
import { inverted } from '../../src/steps/step.js'
import { naming } from '../../src/steps/parts/naming.js'
import { breachesOf, type ContractCase } from '../helpers/step-contract.js'

const inputs = z.strictObject({ name: z.string(), text: z.string() })
type Inputs = z.infer<typeof inputs>
type Module = StepModule<Inputs, { text: string }, 'name', { text: string }, Platform>

/** A board with two notes on it, read and written by a door, and a module that keeps it: right, but for what a test spoils. */
function board(spoil: (module: Module, notes: Map<string, string>) => Partial<Module> = () => ({})): ContractCase {
  const notes = new Map<string, string>()
  const writes: string[] = []
  const sent: Write[] = []
  const read = async (name: string): Promise<string | undefined> => notes.get(name)
  const write = async (name: string, text: string | undefined): Promise<void> => {
    writes.push(name)
    sent.push({ command: text === undefined ? 'unpin' : 'pin' })
    if (text === undefined) notes.delete(name)
    else notes.set(name, text)
  }
  const right: Module = {
    uses: 'board/note',
    summary: 'A note on the board',
    inputs,
    outputs: z.object({ text: z.string() }),
    identity: ['name'],
    verification: () => ({ everyMs: 1, withinMs: 3 }),
    preflight: async (_changes, _inputs, { doors }) => {
      await doors.dns.ask('board', 'is it there', 'A')
      return []
    },
    async observe({ name, text }, { doors }) {
      const { values } = await doors.dns.ask('board', name, 'TXT')
      const [found] = values
      if (found === undefined) return { state: 'absent' }
      return found === text ? { state: 'converged', outputs: { text: found } } : { state: 'drifted', seen: { text: found } }
    },
    plan({ name, text }, seen) {
      const resource = `note ${naming(name, 'name')}`
      return seen.state === 'absent' ? [{ resource, action: 'create', after: { text } }] : [{ resource, action: 'update', before: seen.seen, after: { text } }]
    },
    async apply(changes, { name }) {
      for (const { action, after } of changes) await write(name, action === 'delete' ? undefined : (after as { text: string }).text)
    },
    writes: (changes, { name }) => changes.map(({ action }) => ({ command: action === 'delete' ? 'unpin' : 'pin', on: String(name) })),
    invert: (changes) => changes.map(inverted),
    claims: ({ name }) => [{ resource: `note:${String(name)}`, mode: 'alone' }],
    estimateMs: () => 1,
  }
  const module = anyStep<Inputs, { text: string }, 'name', { text: string }, Platform>({ ...right, ...spoil(right, notes) })
  const ask = async (_server: string, name: string) => ({ values: [(await read(name)) ?? []].flat(), ttlSeconds: 0 })
  const dns = { ask, caa: async () => [] }
  const clock = clockOf({})
  return {
    named: ['name'],
    open: async () => ({
      ...{ module, clock, inputs: { name: 'hub', text: 'moved' }, doors: { dns, clock } as unknown as Platform },
      writes: () => writes,
      sent: () => sent,
      close: async () => undefined,
    }),
  }
}

const look = (module: Module): Module['observe'] => module.observe.bind(module)

describe('the contract of steps', () => {
  it('is kept by a module that does what it says', async () => {
    expect(await breachesOf(board())).toEqual([])
  })

  it.each<[string, (module: Module, notes: Map<string, string>) => Partial<Module>, RegExp]>([
    [
      'takes a read that failed for an absence',
      (module) => ({ observe: async (...given) => look(module)(...given).catch(() => ({ state: 'absent' }) as const) }),
      /observe says absent at first, although dns\.ask\(.*failed \(dns\.unreachable\)/,
    ],
    [
      'takes a read that failed for what was wanted',
      (module) => ({ observe: async (...given) => look(module)(...given).catch(() => ({ state: 'converged', outputs: { text: 'moved' } }) as const) }),
      /observe says converged/,
    ],
    ['lets a check that failed pass', () => ({ preflight: async (_c, _i, { doors }) => doors.dns.ask('x', 'y', 'A').then(() => [], () => []) }), /preflight finds nothing in the way/],
    ['writes while it looks', (module, notes) => ({ observe: async (...given) => (notes.set('hub', 'moved'), look(module)(...given)) }), /nothing to do at first/],
    ['writes while it checks', (module) => ({ preflight: async (changes, wanted, ctx) => (await module.apply(changes, wanted as Inputs, { ...ctx, checkpoint: async () => undefined }), []) }), /has written: hub/],
    ['is never as wanted', (module) => ({ observe: async (...given) => look(module)(...given).then(() => ({ state: 'drifted', seen: { text: 'x' } }) as const) }), /after apply it is drifted .* for good/],
    ['plans nothing though something is missing', () => ({ plan: () => [] }), /it is absent and plans nothing/],
    ['names what it changes by what is pending', (module) => ({ plan: (wanted, seen) => module.plan({ ...wanted, name: String(wanted.name) }, seen) }), /while name is pending, it does not show that it will create note hub/],
    ['has another name for it when it is known', () => ({ plan: ({ text }) => [{ resource: `note ${String(text)}`, action: 'create' as const }] }), /while text is pending, it does not show that it will create note moved/],
    ['cannot be asked for its claims yet', () => ({ claims: ({ text }) => [{ resource: (text as string).toUpperCase(), mode: 'alone' }] }), /while text is pending: TypeError/],
    ['stops a run for what it does not know yet', () => ({ preflight: async (_c, { text }) => (typeof text === 'string' ? [] : [{ level: 'stop', what: 'no text', mend: 'm' }]) }), /while text is pending, preflight stops: no text/],
    ['plans what JSON does not keep', () => ({ plan: () => [{ resource: 'note hub', action: 'create', after: { at: new Date(0) as unknown as string } }] }), /changes do not survive JSON/],
    ['does not come back', () => ({ invert: (changes) => changes.map((change) => ({ ...change, action: 'update' as const })) }), /after the way back it is converged, and was absent at first/],
    ['has no way back for one of its changes', () => ({ invert: () => [] }), /invert answers for , not for note hub/],
    ['cannot be put back and does not say why', () => ({ invert: (changes) => changes.map(({ resource }) => ({ resource, irreversible: ' ' })) }), /is irreversible without a reason/],
    ['fails for good', () => ({ apply: async () => Promise.reject(new LifeboatError('board.full', 'the board is full')) }), /apply: LifeboatError: the board is full/],
    ['does not foretell what it writes', () => ({ writes: () => [] }), /apply sends pin, which it does not predict/],
    ['foretells what it does not write', (module) => ({ writes: (...given) => [...(module.writes?.(...given) ?? []), { command: 'glue' }] }), /apply does not send glue, which it predicts/],
    ['foretells as if all were known', () => ({ writes: (changes, { text }) => [{ command: changes[0]?.action === 'delete' ? 'unpin' : 'pin', on: String(text) }] }), /while text is pending, it does not predict pin on moved/],
    ['plans something else every time', () => ({ plan: () => [{ resource: `note ${Math.random()}`, action: 'create' }] }), /plan gives something else the second time/],
  ])('is broken by one that %s', async (_what, spoil, told) => {
    expect((await breachesOf(board(spoil))).join('\n')).toMatch(told)
  })

  it('takes the first of several changes for itself', async () => {
    const both = (module: Module): Partial<Module> => ({
      plan: ({ text }, seen) => (seen.state === 'absent' ? [{ resource: 'note hub', action: 'create', after: { text } }, { resource: 'note proxy', action: 'create', after: { text } }] : []),
      apply: (changes, wanted, ctx) => module.apply(changes.slice(0, 1), wanted, ctx),
    })
    expect((await breachesOf(board(both))).join('\n')).toMatch(/after create note hub alone it is converged/)
  })
})
