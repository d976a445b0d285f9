import { z } from 'zod'
import { isPending, type Change, type Finding, type PlanInputs, type Variant } from '../contract/index.js'
import { durationMs, resourceId } from '../contract/inputs.js'
import { nameOf, sameId } from '../platform/azure/ids.js'
import type { Platform } from '../platform/platform.js'
import { diskLabel, foundDisk, placeOf, twiceHint, wantedDisks, type FoundDisk, type Place, type WantedDisk } from './parts/disks.js'
import { unmovableFindings } from './parts/move-readiness.js'
import { acrossGroups, moveDisks, moveLockFindings } from './parts/move.js'
import { naming } from './parts/naming.js'
import { rightsFindings, together, type Need } from './parts/readiness.js'
import { groupPath, post } from './parts/writes.js'
import { defineStep, groupClaim, hours, inverted, known, minutes, seconds } from './step.js'

interface Seen {
  /** Names of the disks that are still in the source. */
  readonly waiting: readonly string[]
}

const inputs = z.strictObject({
  from: z.string(),
  to: z.string(),
  disks: wantedDisks,
  /**
   * The server that they are for. A disk that is attached to it counts as "moved later", wherever it is: detaching it again
   * would take its files from everybody.
   */
  machine: resourceId.optional(),
  /**
   * When they are moved. A disk can be attached to a machine of another group, and a move locks both groups for up to four hours; but
   * an attached disk cannot be moved, so that with `after-cutover` a runbook of its own does it in a quiet hour. This step leaves them
   * where they are then, and with `never` they stay there.
   */
  move: z.enum(['before-attach', 'after-cutover', 'never']).default('before-attach'),
  /** How long a move may hold its locks before the operator is asked. Azure lets it take four hours. */
  patience: durationMs.default(1 * hours),
})
type Inputs = z.infer<typeof inputs>

const moveMs = 6 * minutes
const choices: readonly Omit<Variant, 'input' | 'chosen'>[] = [
  { value: 'before-attach', estimateMs: moveMs, says: 'Azure gives a move up to four hours' },
  { value: 'after-cutover', estimateMs: 0, says: 'the hubs stop once more for it, in a quiet hour' },
  { value: 'never', estimateMs: 0, says: 'whatever deletes their old group deletes them' },
]

/**
 * Moves disks to another resource group. Azure locks both groups until it is over, and may end with part of it done: each
 * disk is looked at by itself, in either group. What is still in the source is moved again; a move that is still going on
 * answers 409, which is in flight and no failure.
 */
export const moveResources = defineStep({
  uses: 'azure/move-resources',
  summary: 'Disks, moved to another resource group',
  inputs,
  outputs: z.object({ resourceGroup: z.string(), disks: z.array(foundDisk), remark: z.string().optional() }),
  identity: ['from', 'to', 'disks', 'move'],
  unseen: true,
  verification: () => ({ everyMs: 10 * seconds, withinMs: 4 * hours }),
  preflight: (changes, wanted, { doors }) =>
    together(
      ...(isOneGroup(wanted) ? [] : [
        lostFindings(changes, wanted, doors),
        failedFindings(wanted, doors),
        unmovableFindings(wanted.from, isPending(wanted.disks) ? [] : plannedOf(changes, wanted.disks), doors),
        moveLockFindings(doors, [wanted.from, wanted.to].filter((group): group is string => !isPending(group))),
        rightsFindings(doors, needsOf(changes, wanted)),
      ]),
    ),
  async observe({ from, to, disks, machine, move }, { doors, accepted }) {
    // Where both are one group, a disk that lies there is no disk that is seen twice.
    const one = isOneGroup({ from, to })
    const places = await Promise.all(disks.map((disk) => placeOf(doors, from, one ? undefined : to, disk)))
    const lost = places.find(isLost)
    if (lost !== undefined) {
      const why = `disk ${lost.disk.name} is ${one ? `not in ${to}` : `neither in ${from} nor in ${to}`}`
      return { state: 'conflict', why, mend: 'Find it with `az disk list` before anything else is done.' }
    }
    if (one) return { state: 'converged', outputs: { resourceGroup: to, disks: places.map(foundIn) } }
    const twice = places.find(({ here, there }) => here !== undefined && there !== undefined)
    if (twice !== undefined) {
      // A disk on its way may be seen in both for a moment; two disks of one name are a matter for a person.
      if (twice.here?.uniqueId === twice.there?.uniqueId) return { state: 'in-flight', what: `disk ${twice.disk.name} is being moved` }
      const why = `there is a disk ${twice.disk.name} in ${from} and another one in ${to}`
      return { state: 'conflict', why, mend: twiceHint }
    }
    const left = places.filter(({ there }) => there === undefined)
    const waiting = left.filter(({ here }) => isPending(machine) || machine === undefined || !sameId(here?.managedBy, machine))
    if (waiting.length === 0 || accepted.has(acrossGroups) || move !== 'before-attach') {
      const outputs = { resourceGroup: left.length === places.length ? from : to, disks: places.map(foundIn) }
      return { state: 'converged', outputs: left.length === 0 ? outputs : { ...outputs, remark: leftThere(left, from, move) } }
    }
    return { state: 'drifted', seen: { waiting: waiting.map(({ disk }) => disk.name) } }
  },
  plan({ from, to, disks, move }, seen: { state: 'absent' } | { state: 'drifted'; seen: Seen }): Change[] {
    // Known by then: it is part of the identity; only a group that is still to be made keeps `observe` from saying so.
    if (move === 'after-cutover' || move === 'never' || isOneGroup({ from, to })) return []
    const names = seen.state === 'drifted' ? seen.seen.waiting : naming(disks, 'disks').map(({ name }) => name)
    return names.map((name) => ({ resource: diskLabel(name), action: 'update', before: { group: from }, after: { group: to } }))
  },
  async apply(changes, { from, to, disks, patience }, ctx) {
    const back = isHome(changes, { from, to })
    const [source, target] = back ? [to, from] : [from, to]
    await moveDisks({ source, target, disks: plannedOf(changes, disks), patienceMs: patience, mayStay: !back }, ctx)
  },
  invert: (changes) => changes.map(inverted),
  writes(changes, { from, to }) {
    const source = groupPath(isHome(changes, { from, to }) ? to : from)
    return ['validateMoveResources', 'moveResources'].map((action) => post(source, action))
  },
  claims: ({ from, to }) => [groupClaim(known(from), 'alone'), groupClaim(known(to), 'alone')],
  estimateMs: () => moveMs,
  variants: ({ from, to, move }, changes, outputs) => {
    // Once they are in their new group nothing is left to choose.
    const open = !isOneGroup({ from, to }) && (changes.length > 0 || (outputs !== undefined && outputs.resourceGroup === from))
    return open ? choices.map((choice) => ({ input: 'move', ...choice, chosen: choice.value === move })) : []
  },
})

async function lostFindings(changes: readonly Change[], { from, to, disks }: PlanInputs<Inputs>, doors: Platform): Promise<Finding[]> {
  if (isPending(from) || isPending(disks)) return []
  const places = await Promise.all(plannedOf(changes, disks).map((disk) => placeOf(doors, from, isPending(to) ? undefined : to, disk)))
  return places.filter(isLost).map(({ disk }) => ({
    level: 'stop' as const,
    what: `there is no disk ${disk.name} in ${from}`,
    mend: 'Look at `az disk list`, and at the names in the runbook.',
  }))
}

/** azure-docs, move-resource-group-and-subscription: the action on the source, group write on the target. */
function needsOf(changes: readonly Change[], { from, to }: PlanInputs<Inputs>): Need[] {
  const groups = 'Microsoft.Resources/subscriptions/resourceGroups'
  const [source, target] = isHome(changes, { from, to }) ? [to, from] : [from, to]
  return [
    { scope: source, actions: [`${groups}/validateMoveResources/action`, `${groups}/moveResources/action`] },
    { scope: target, actions: [`${groups}/write`] },
  ]
}

const isLost = ({ here, there }: Place): boolean => here === undefined && there === undefined

function foundIn({ disk, here, there }: Place): FoundDisk {
  const found = there ?? here
  return { ...disk, id: found?.id ?? '', uniqueId: found?.uniqueId ?? '' }
}

/** Never silent: a node group goes with its cluster, and everything in it. */
function leftThere(left: readonly Place[], from: string, move: Inputs['move']): string {
  const names = left.map(({ disk }) => disk.name).join(', ')
  const [stay, are] = left.length === 1 ? ['stays', 'is'] : ['stay', 'are']
  const danger = `in ${from} and ${are} used from there. Whatever deletes that group deletes them: do not delete a cluster whose node group it is`
  if (move === 'never') return `${names} ${stay} ${danger}.`
  return `${names} ${move === 'before-attach' ? 'stayed' : stay} ${danger} before they have been moved. For that they must be detached, in a quiet hour.`
}

/** What holds up every move out of a group (MoveCannotProceedWithResourcesNotInSucceededState), where it can be seen. */
async function failedFindings({ from, to }: PlanInputs<Inputs>, { azure }: Platform): Promise<Finding[]> {
  if (isPending(from)) return []
  const ids = (await azure.groups.list(from)) ?? []
  const found = await Promise.all(ids.filter((id) => /\/Microsoft\.Network\/(networkInterfaces|virtualNetworks)\/[^/]+$/i.test(id)).map((id) => azure.resources.get(id)))
  return found.flatMap((one) => {
    const state = one?.properties['provisioningState']
    if (one === undefined || state === undefined || state === 'Succeeded') return []
    const target = isPending(to) ? 'another group' : to
    return [{
      level: 'warn' as const,
      what: `${nameOf(one.id)} in ${from} is ${typeof state === 'string' ? state : 'not Succeeded'}: Azure is likely to refuse moving disks from there to ${target}`,
      mend: `Mend or delete it first. Or let the disks stay where they are when the move is refused: the step offers that then (${acrossGroups}).`,
    }]
  })
}

function plannedOf(changes: readonly Change[], disks: readonly WantedDisk[]): WantedDisk[] {
  return disks.filter(({ name }) => changes.some(({ resource }) => resource === diskLabel(name)))
}

/** Names of groups know no case. */
function isOneGroup({ from, to }: Pick<PlanInputs<Inputs>, 'from' | 'to'>): boolean {
  return !isPending(from) && !isPending(to) && from.toLowerCase() === to.toLowerCase()
}

/** Is it the way back? */
function isHome(changes: readonly Change[], { from, to }: Pick<PlanInputs<Inputs>, 'from' | 'to'>): boolean {
  return groupAfter(changes) === from && from !== to
}

function groupAfter([first]: readonly Change[]): string | undefined {
  const after = first?.after
  return typeof after === 'object' && after !== null && 'group' in after && typeof after.group === 'string' ? after.group : undefined
}
