// What the runs of generated runbooks have in common: their modules come from the built program.
import { Writable } from 'node:stream'
import { z } from 'zod'
import type * as Contract from '../../src/contract/index.js'
import type * as Engine from '../../src/engine/index.js'
import type * as JournalRoom from '../../src/journal/index.js'
import type * as ClockDoor from '../../src/platform/clock/clock.js'
import type * as Render from '../../src/render/index.js'
import type * as RunbookRoom from '../../src/runbook/index.js'
import { built } from './built.js'

const { anyStep } = await built<typeof Contract>('contract/index.js')
export const engine = await built<typeof Engine>('engine/index.js')
export const journals = await built<typeof JournalRoom>('journal/index.js')
const { clockOf } = await built<typeof ClockDoor>('platform/clock/clock.js')
const { createRenderer, Output, Stage } = await built<typeof Render>('render/index.js')
const { parseRunbook } = await built<typeof RunbookRoom>('runbook/index.js')

export const clock = clockOf({})

/** Ten chains side by side, as wide as a site's runbook gets; each step reads an output of the one before it. */
const lanes = 10

/** Called with each look of a step. */
export const looks: { each: () => void } = { each: () => undefined }

export const noop: Contract.AnyStep<undefined> = anyStep<{ after: string }, { name: string }, 'after', never, undefined>({
  uses: 'bench/noop',
  summary: 'Is always as wanted.',
  inputs: z.strictObject({ after: z.string() }),
  outputs: z.object({ name: z.string() }),
  identity: ['after'],
  verification: () => ({ everyMs: 1000, withinMs: 1000 }),
  preflight: async () => [],
  observe: async () => {
    looks.each()
    return { state: 'converged', outputs: { name: 'x' } }
  },
  plan: () => [],
  apply: async () => undefined,
  invert: () => [],
  claims: () => [{ resource: 'group:shared', mode: 'shared' }],
  estimateMs: () => 1000,
})

/** A runbook of so many steps. */
export function runbookText(size: number): string {
  const steps = Array.from({ length: size }, (_, index) => {
    const after = index < lanes ? 'the start' : `\${{ steps.s${index - lanes}.outputs.name }}`
    return `  - { id: s${index}, uses: bench/noop, with: { after: "${after}" } }\n`
  })
  return `apiVersion: lifeboat/v1\nname: bench\nazure: { subscription: ${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(12)}, location: l }\nsteps:\n${steps.join('')}`
}

const registry = new Map([[noop.uses, noop]])

export function parsed(text: string): RunbookRoom.Runbook {
  const { runbook, diagnostics } = parseRunbook(text, 'bench.yaml', registry)
  if (runbook === undefined) throw new Error(JSON.stringify(diagnostics.slice(0, 3)))
  return runbook
}

export const started: JournalRoom.RecordData['run.started'] = {
  runbook: { name: 'bench', path: '/bench.yaml', text: '' },
  mode: 'run',
  cloud: { name: 'bench', resourceManager: 'https://arm.example', subscription: 's', path: null },
  owner: { user: 'bench', host: 'bench', pid: 1, started: '' },
  pins: [],
  confirmed: 'flag',
  realStartedAt: new Date().toISOString(),
}

const nowhere = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() })

/** Lines as for a log, told to nobody. */
export function plainRenderer(earlier: readonly Contract.RunEvent[] = []): Render.Renderer {
  const output = new Output({ stdin: process.stdin, stdout: nowhere(), stderr: nowhere() })
  return createRenderer({ kind: 'plain', output, stage: new Stage(output), clock, color: false, earlier })
}

/** No step here has any. */
const noSecrets: Engine.SecretPort = {
  digest: () => '',
  read: () => {
    throw new Error('a benchmark has no secrets')
  },
}

export function planPorts(runbook: RunbookRoom.Runbook, signal = new AbortController().signal): Engine.PlanPorts<undefined> {
  return { runbook, registry, clock, env: () => undefined, secrets: noSecrets, doors: () => undefined, signal, pollEveryMs: 1000 }
}

export function runPorts(
  plan: Engine.PlanPorts<undefined>,
  journal: JournalRoom.Journal,
  renderer: Render.Renderer,
): Engine.RunPorts<undefined> {
  return {
    ...plan,
    journal,
    listeners: [renderer.listener],
    operator: { name: 'nobody', present: false, ask: async () => ({ choice: 'stop', by: 'nobody' }) },
    survivors: { handle: async () => 'gone', marked: async () => [] },
    resumeCommand: 'lifeboat resume',
  }
}
