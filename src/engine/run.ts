import { LifeboatError, type Change, type EventOf, type Outcome } from '../contract/index.js'
import { fold, type RecordData, type RunState } from '../journal/index.js'
import { neverOffered, offeredBefore, openChoices, recordTaken } from './alternatives.js'
import { settleSurvivors } from './survivors.js'
import { runPipeline } from './pipeline.js'
import type { Plan } from './planner.js'
import type { RunPorts } from './ports.js'
import { putBackBy } from './put-back.js'
import { Recorder } from './recorder.js'
import { Walk } from './walk.js'

/** Starts a run from the plan that the operator was shown. Resolves with how it ended; rejects only if the journal fails. */
export async function startRun<D>(
  ports: RunPorts<D>,
  started: RecordData['run.started'],
  plan: Plan,
): Promise<Outcome> {
  const recorder = recorderOf(ports)
  await recorder.record('run.started', started)
  tellStarted(ports, recorder, fold(ports.journal.records), false)
  await recorder.record('run.planned', { ...plan.facts, steps: plan.steps })
  for (const taken of plan.taken) await recordTaken(recorder, taken)
  return carryOn(ports, recorder, fold(ports.journal.records))
}

/**
 * Goes on with a run from its journal. Survivors are ended or awaited first; then every step is looked at again, verified
 * ones too, before anything is written.
 */
export async function resumeRun<D>(ports: RunPorts<D>, resumed: RecordData['run.resumed']): Promise<Outcome> {
  const recorder = recorderOf(ports)
  await recorder.record('run.resumed', resumed)
  const before = fold(ports.journal.records)
  tellStarted(ports, recorder, before, true)
  for (const taken of offeredBefore(before, ports.accept)) await recordTaken(recorder, taken)
  return carryOn(ports, recorder, before)
}

function recorderOf<D>(ports: RunPorts<D>): Recorder {
  return new Recorder(ports.journal, ports.listeners, ports.clock)
}

async function carryOn<D>(ports: RunPorts<D>, recorder: Recorder, before: RunState): Promise<Outcome> {
  try {
    await settleSurvivors(before, recorder, ports)
  } catch (error) {
    if (!ports.signal.aborted) throw error
    return finish(ports, recorder)
  }
  // Folding a long journal takes a moment: once more only if something was added.
  const { records } = ports.journal
  const walk = new Walk(ports, records.length === before.lastSeq ? before : fold(records), recorder)
  walk.reclaim()
  walk.tellEta()
  await runPipeline(ports.runbook.nodes, (node) => walk.visit(node))
  if (walk.fatal !== undefined) throw walk.fatal
  return finish(ports, recorder)
}

async function finish<D>(ports: RunPorts<D>, recorder: Recorder): Promise<Outcome> {
  const state = fold(ports.journal.records)
  if (ports.signal.aborted) await recorder.record('run.interrupted', { signal: signalName(ports.signal) })
  const outcome = outcomeOf(ports, state)
  // Clocks may have been set back since.
  const elapsedMs = Math.max(0, ports.clock.now().getTime() - Date.parse(state.startedAt))
  const wallMs = Math.max(0, ports.clock.realNow().getTime() - Date.parse(state.realStartedAt))
  for (const message of neverOffered(state, ports.accept)) recorder.tell({ type: 'notice', level: 'warn', message })
  await recorder.record('run.finished', { outcome, elapsedMs, wallMs })
  recorder.tell({ type: 'run.finished', outcome, elapsedMs, wallMs, ...(await epilogue(ports, state, outcome)) })
  return outcome
}

type Epilogue = Pick<EventOf<'run.finished'>, 'criticalPathMs' | 'next' | 'back' | 'choices' | 'remarks'>

async function epilogue<D>(ports: RunPorts<D>, state: RunState, outcome: Outcome): Promise<Epilogue> {
  const changed = new Map<string, readonly Change[]>()
  for (const [id, { firstChanges }] of state.steps) changed.set(id, firstChanges)
  const criticalPathMs = await ports.criticalPathMs?.(changed)
  const remarks = remarksOf(state)
  const choices = openChoices(state, ports.resumeCommand)
  // Another run is at work in its place: this one is not to be gone on with beside it.
  const back = putBackBy(ports.undoCommand, state, outcome)
  const goesOn = outcome !== 'succeeded' && !isDisplaced(ports.signal)
  return {
    ...(criticalPathMs === undefined ? {} : { criticalPathMs }),
    ...(remarks.length === 0 ? {} : { remarks }),
    ...(goesOn ? { next: ports.resumeCommand } : {}),
    ...(!goesOn || back === undefined ? {} : { back }),
    ...(!goesOn || choices.length === 0 ? {} : { choices }),
  }
}

/** What the steps' outputs say to the reader of the summary; two checks of one hub say it once. */
export function remarksOf({ steps }: RunState): readonly string[] {
  const said = [...steps.values()].map(({ outputs }) => outputs?.['remark'])
  return [...new Set(said.filter((remark) => typeof remark === 'string'))]
}

/** Read from the journal, never from what the pipeline believes. */
function outcomeOf<D>(ports: RunPorts<D>, state: RunState): Outcome {
  const open = ports.runbook.nodes.filter((node) => {
    const status = state.steps.get(node.id)?.status
    return node.kind === 'step' && status !== 'verified' && status !== 'skipped'
  })
  if (open.length === 0) return 'succeeded'
  if (ports.signal.aborted) return 'interrupted'
  const declined = [...state.answers].some(
    ([id, answer]) => answer.choice === 'stop' && ports.runbook.nodes.some((node) => node.id === id && node.kind !== 'step'),
  )
  return declined ? 'declined' : 'failed'
}

function isDisplaced({ reason }: AbortSignal): boolean {
  return reason instanceof LifeboatError && /^(lock|target)\./.test(reason.code)
}

function signalName(signal: AbortSignal): string {
  const reason: unknown = signal.reason
  if (!(reason instanceof LifeboatError)) return 'unknown'
  if (isDisplaced(signal)) return 'another run’s take-over'
  return reason.code.startsWith('interrupted.') ? reason.code.slice('interrupted.'.length) : 'unknown'
}

function tellStarted<D>(ports: RunPorts<D>, recorder: Recorder, { runbook, mode, cloud, undoes }: RunState, resumed: boolean): void {
  const steps = ports.runbook.nodes.map((node) => ({
    id: node.id,
    uses: node.kind === 'step' ? node.uses : node.kind,
    needs: node.needs,
  }))
  // The way back has no objective: that one is counted from the decision to hubs that students can use.
  const objectiveMs = undoes === undefined ? ports.runbook.objectiveMs : undefined
  recorder.tell({
    type: 'run.started',
    runbook: runbook.name,
    mode,
    resumed,
    ...(undoes === undefined ? {} : { undoes }),
    cloud: { name: cloud.name, resourceManager: cloud.resourceManager, subscription: cloud.subscription },
    ...(objectiveMs === undefined ? {} : { objectiveMs }),
    steps,
  })
}
