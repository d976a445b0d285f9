import type * as WorldPath from '../../../src/cli/world-path.js'
import type { Change, RunEvent } from '../../../src/contract/index.js'
import { lifeboat, temporaryFolder } from '../../helpers/cli.js'
import { built } from '../built.js'
import { accountOf, type Part, type RunFacts, type StepFacts } from './account.js'
import { watchedPrograms } from './programs.js'
import { leftIn, onlyWorldIn, type LeftWorld } from './world.js'

const { worldSpans } = await built<typeof WorldPath>('cli/world-path.js')

export interface Rehearsal {
  /** From the start of the process to its end. */
  readonly wallMs: number
  /** The longest path through the runbook in the world's own durations, in real milliseconds. */
  readonly criticalPathMs: number
  readonly parts: readonly Part[]
  readonly events: readonly RunEvent[]
  readonly world: LeftWorld
}

/** Rehearses a runbook by the real CLI, with the real programs, and says where the time went. */
export async function rehearsed(runbook: string, speed: number): Promise<Rehearsal> {
  const stateDir = temporaryFolder()
  const programs = watchedPrograms(temporaryFolder())
  const from = Date.now()
  const cli = lifeboat(['rehearse', runbook, '--yes', '--json', '--speed', String(speed), '--state-dir', stateDir], programs.env)
  const { code, stderr } = await cli.ended
  const until = Date.now()
  if (code !== 0) throw new Error(`the rehearsal ended with ${String(code)}: ${stderr}`)
  const world = await leftIn(onlyWorldIn(stateDir))
  const { events } = cli
  const facts = factsOf(events, world, { from, until }, programs.runs())
  const finished = events.findLast((event) => event.type === 'run.finished')
  return { wallMs: until - from, criticalPathMs: (finished?.criticalPathMs ?? Number.NaN) / speed, parts: accountOf(facts), events, world }
}

function factsOf(events: readonly RunEvent[], world: LeftWorld, whole: RunFacts['whole'], programs: RunFacts['programs']): RunFacts {
  const realMs = (t: string): number => world.clock.realMs(t)
  const planned = events.find(({ type }) => type === 'run.planned')
  return {
    whole,
    planned: planned === undefined ? whole.from : realMs(planned.t),
    steps: stepsOf(events, world),
    programs,
    marks: [...events, ...world.requests].map(({ t }) => realMs(t)),
  }
}

function stepsOf(events: readonly RunEvent[], { clock, state }: LeftWorld): readonly StepFacts[] {
  const started = events.find((event) => event.type === 'run.started')
  return (started?.steps ?? []).map(({ id, needs }) => {
    const own = events.filter((event) => 'step' in event && event.step === id)
    const startedAt = own.find(({ type }) => type === 'step.started')?.t
    const endedAt = own.findLast(({ type }) => type === 'step.verified' || type === 'question.answered')?.t
    const changes = own.flatMap((event): readonly Change[] => (event.type === 'step.intent' ? event.changes : []))
    const span = { id, needs, changes, ...(startedAt === undefined ? {} : { startedAt }), ...(endedAt === undefined ? {} : { endedAt }) }
    const waited = own.find(({ type }) => type === 'step.waiting')?.t
    const real = (ms: number): number => clock.realMs(new Date(ms).toISOString())
    return {
      id,
      needs,
      ended: endedAt === undefined ? 0 : clock.realMs(endedAt),
      world: worldSpans(span, state.operations).map(({ from, until }) => ({ from: real(from), until: real(until) })),
      claims: waited === undefined || startedAt === undefined ? [] : [{ from: clock.realMs(waited), until: clock.realMs(startedAt) }],
    }
  })
}

/** Milliseconds of the world from the start of the fence, when users lose their files, until the new server exports them. */
export function outageMs(events: readonly RunEvent[]): number {
  const at = (type: RunEvent['type'], step: string): number =>
    Date.parse(events.find((event) => event.type === type && 'step' in event && event.step === step)?.t ?? '')
  return at('step.verified', 'exports') - at('step.started', 'fence')
}
