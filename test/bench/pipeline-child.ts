// One run of a generated runbook, from its text to its last record: prints what it took. Argument: how many steps.
import { join } from 'node:path'
import type { Store } from '../../src/journal/index.js'
import { temporaryFolder } from '../helpers/cli.js'
import { clock, engine, journals, parsed, plainRenderer, planPorts, runbookText, runPorts, started } from './generated.js'

export interface PipelineRun {
  readonly parseMs: number
  readonly planMs: number
  readonly runMs: number
  /** Time of the processor in all three: on a busy machine the better measure of ours. */
  readonly cpuMs: number
  readonly peakBytes: number
  readonly syncs: number
}

function counting(store: Store): Store & { syncs: number } {
  const counted = {
    ...store,
    syncs: 0,
    append: (lines: string) => {
      counted.syncs += 1
      return store.append(lines)
    },
  }
  return counted
}

async function perform(size: number): Promise<PipelineRun> {
  const text = runbookText(size)
  const atStart = performance.now()
  const cpuAtStart = process.cpuUsage()
  const runbook = parsed(text)
  const atParsed = performance.now()
  const ports = planPorts(runbook)
  const plan = await engine.planRun(ports)
  const atPlanned = performance.now()
  const store = counting(await journals.localStore(join(temporaryFolder(), 'journal.ndjson'), { fresh: true }))
  const journal = journals.Journal.create(store, 'bench', () => clock.now())
  const renderer = plainRenderer()
  const outcome = await engine.startRun(runPorts(ports, journal, renderer), started, plan)
  const atEnd = performance.now()
  const { user, system } = process.cpuUsage(cpuAtStart)
  renderer.close()
  await journal.close()
  if (outcome !== 'succeeded') throw new Error(`the run ${outcome}`)
  return {
    parseMs: atParsed - atStart,
    planMs: atPlanned - atParsed,
    runMs: atEnd - atPlanned,
    cpuMs: (user + system) / 1000,
    peakBytes: process.resourceUsage().maxRSS * 1024,
    syncs: store.syncs,
  }
}

process.stdout.write(JSON.stringify(await perform(Number(process.argv[2]))))
