// The same failover without Lifeboat's engine: one step after the other, as a careful script would do it. It looks, changes
// what is missing, and looks until that is there; it uses the same doors and step modules, so the same SDKs, helm and ssh. No
// plan, no journal, no claims, nothing side by side. Arguments: runbook, cloud file. Prints how long it took.
import type * as Contract from '../../../src/contract/index.js'
import type * as ClockDoor from '../../../src/platform/clock/clock.js'
import type * as CloudFile from '../../../src/platform/cloud/load.js'
import type * as Doors from '../../../src/platform/open.js'
import type { Platform } from '../../../src/platform/platform.js'
import type * as RunbookRoom from '../../../src/runbook/index.js'
import type * as Steps from '../../../src/steps/registry.js'
import { temporaryFolder } from '../../helpers/cli.js'
import { built } from '../built.js'

export interface SequenceRun {
  readonly wallMs: number
}

const began = Date.now()
const { clockOf } = await built<typeof ClockDoor>('platform/clock/clock.js')
const { loadCloud, envOf } = await built<typeof CloudFile>('platform/cloud/load.js')
const { openPlatform } = await built<typeof Doors>('platform/open.js')
const { loadRunbook, resolveInputs } = await built<typeof RunbookRoom>('runbook/index.js')
const { registry } = await built<typeof Steps>('steps/registry.js')

const [runbookPath = '', cloudPath = ''] = process.argv.slice(2)
const { runbook } = await loadRunbook(runbookPath, async () => ({ schemas: registry, harmful: new Set(), broken: new Map() }))
if (runbook === undefined) throw new Error(`${runbookPath} is wrong`)
const cloud = await loadCloud(cloudPath)
const clock = clockOf(cloud)
const env = envOf(cloud, process.env)
const children = { started: async () => undefined, ended: async () => undefined }
const { subscription } = runbook.azure
const { name, folder } = runbook
const open = openPlatform({ cloud, subscription, clock, secrets: temporaryFolder(), run: 'sequence', runbook: name, folder, env: process.env })
const outputs = new Map<string, Contract.JsonObject>()

type Module = Contract.AnyStep<Platform>
type Context = Contract.ApplyContext<Platform>

/** Until it is there; a failure that may pass is waited for. */
async function whenThere(module: Module, inputs: Record<string, unknown>, ctx: Context): Promise<Contract.JsonObject> {
  const { everyMs, withinMs } = module.verification(inputs)
  const deadline = clock.now().getTime() + withinMs
  for (;;) {
    const seen = await module.observe(inputs, ctx).catch((error: unknown) => error)
    if (isSeen(seen) && seen.state === 'converged') return seen.outputs as Contract.JsonObject
    if (clock.now().getTime() > deadline) throw new Error(`${module.uses} is not done: ${JSON.stringify(seen)}`)
    await clock.sleep(everyMs)
  }
}

function isSeen(value: unknown): value is Contract.Observation<Record<string, unknown>, unknown> {
  return typeof value === 'object' && value !== null && 'state' in value
}

async function perform(module: Module, inputs: Record<string, unknown>, ctx: Context): Promise<Contract.JsonObject> {
  const seen = module.check === true ? undefined : await module.observe(inputs, ctx)
  if (seen?.state === 'absent' || seen?.state === 'drifted') await module.apply(module.plan(inputs, seen), inputs, ctx)
  return whenThere(module, inputs, ctx)
}

for (const node of runbook.nodes) {
  // At a gate this operator says yes at once.
  if (node.kind !== 'step') continue
  const module = registry.get(node.uses)
  if (module === undefined) throw new Error(`there is no ${node.uses}`)
  const inputs = module.inputs.parse(resolveInputs(node, runbook, { env, outputs: (step) => outputs.get(step) }, module))
  const doors = open({ step: node.id, children })
  const { signal } = new AbortController()
  const secret = (): Promise<never> => Promise.reject(new Error('this runbook has no secrets'))
  const nothing = { progress: () => undefined, checkpoint: async () => undefined, overPrograms: () => [] }
  const quiet = { ...nothing, signal, accepted: new Set<string>(), secret }
  outputs.set(node.id, await perform(module, inputs, { ...quiet, doors, clock }))
}
process.stdout.write(JSON.stringify({ wallMs: Date.now() - began } satisfies SequenceRun))
