import { errorFacts, LifeboatError, type Write } from '../contract/index.js'
import { groupsOf, leadOf, readPolicy, waitAfter, waitOut } from '../engine/index.js'
import { atWorkOn, sayLife, TargetLock, type Mark, type MarkStore } from '../journal/index.js'
import type { AzureDoor } from '../platform/azure/door.js'
import { exit } from './exit.js'
import type { Site } from './site.js'

/** The marks of who is at work, in the tags of resource groups. */
export function markStore({ groups }: Pick<AzureDoor, 'groups'>): MarkStore {
  return {
    read: async (group) => (await groups.get(group))?.tags,
    async merge(group, tags) {
      try {
        await groups.tag(group, tags)
        return true
      } catch (error) {
        if (error instanceof LifeboatError && error.code === 'azure.locked') return false
        throw error
      }
    },
  }
}

/** The writes by which a run with changes says so: the tags of its groups. */
export function marksOf(site: Site): readonly Write[] {
  return groupsOf(site).map((group) => ({ method: 'PATCH', path: `resourceGroups/${group}/providers/Microsoft.Resources/tags/default` }))
}

export type EarlierLife = NonNullable<ConstructorParameters<typeof TargetLock>[0]['earlier']>

export type PutsBack = NonNullable<ConstructorParameters<typeof TargetLock>[0]['undoes']>

export interface TargetOf {
  readonly site: Site
  readonly azure: AzureDoor
  readonly run: string
  readonly takeOver: boolean
  readonly notice: (message: string) => void
  readonly earlier?: EarlierLife
  readonly putsBack?: PutsBack
}

/** A run's hold on its target. `over` is aborted when another run has it. */
export function targetOf(of: TargetOf, signal: AbortSignal, over: AbortController): TargetLock {
  const { site, azure, run, takeOver, notice, earlier, putsBack } = of
  const lead = leadOf(site)?.group
  return new TargetLock({
    store: markStore(azure),
    processes: site.processes,
    clock: site.clock,
    run,
    runbook: site.runbook.name,
    groups: groupsOf(site),
    takeOver,
    notice,
    signal,
    lost: (error) => over.abort(error),
    ...(lead === undefined ? {} : { lead }),
    ...(earlier === undefined ? {} : { earlier }),
    ...(putsBack === undefined ? {} : { undoes: putsBack }),
  })
}

/** Looks who is at work before anything else is read. What may pass is tried again first. */
export async function admitted(
  target: Pick<TargetLock, 'admit'>,
  { clock }: Pick<Site, 'clock'>,
  signal: AbortSignal,
  notice: (message: string) => void,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await target.admit()
    } catch (error) {
      const wait = waitAfter(error, attempt, readPolicy)
      if (wait === undefined) throw error
      // Whoever waits is told at once what for: tries may go on for a minute.
      notice(`Who is at work on this target cannot be told yet, trying again: ${errorFacts(error).message}`)
      await waitOut(clock, wait, signal)
    }
  }
}

const outcomes: Readonly<Record<number, string>> = { [exit.done]: 'succeeded', [exit.failed]: 'failed', [exit.declined]: 'declined' }

/** How a run ended, in its mark; undefined stands for one that threw. */
export function outcomeWord(code: number | undefined): string {
  if (code === undefined) return 'failed'
  return outcomes[code] ?? 'interrupted'
}

/** Who is at work on a runbook's target, for a plan: it says so and writes nothing. */
export async function whoIsAtWork(site: Site, azure: AzureDoor, notice: (message: string) => void): Promise<readonly Mark[]> {
  try {
    const marks = await atWorkOn(groupsOf(site), markStore(azure), site.processes)
    for (const mark of marks) notice(`At work on this target: ${sayLife(mark, site.clock.realNow())}. A run is refused meanwhile.`)
    return marks
  } catch (error) {
    notice(`Who is at work on this target cannot be told: ${error instanceof Error ? error.message : String(error)}`)
    return []
  }
}
