import { sameId, within } from '../world/ids.js'
import type { Operation } from '../world/model.js'
import { type World, WorldError } from '../world/world.js'
import { nodeGroupOf } from './node-group.js'
import { list, type ArmAnswer, type ArmRequest, type Route } from './wire.js'

/** The activity log: what was begun and how it ended, a while later. */
export const activityRoutes: readonly Route[] = [
  { method: 'GET', pattern: '/subscriptions/{subscription}/providers/Microsoft.Insights/eventtypes/management/values', handle: events },
]

interface Entry {
  readonly resourceId: string
  readonly operation: string
  readonly atMs: number
  readonly status: 'Started' | 'Succeeded' | 'Failed'
  readonly error?: { readonly code: string; readonly message: string }
}

/** Only the forms that Azure's filter knows: from when (which must be said), until when, and of which resource or group. */
function events({ world, query }: ArmRequest): ArmAnswer {
  const filter = query.get('$filter') ?? ''
  const form = /^eventTimestamp ge '([^']+)'(?: and eventTimestamp le '([^']+)')?(?: and (resourceUri|resourceGroupName) eq '([^']+)')?$/i
  const [, from, until, kind, wanted = ''] = form.exec(filter.trim()) ?? []
  if (from === undefined || Number.isNaN(Date.parse(from))) {
    throw new WorldError(400, 'BadRequest', `The $filter '${filter}' is not supported: it begins with eventTimestamp ge, and names one resource or group at most.`)
  }
  const untilMs = Math.min(until === undefined ? Infinity : Date.parse(until), world.clock.nowMs() - world.durationOf('activity log'))
  const isAsked = (id: string): boolean => {
    if (kind === undefined) return true
    return kind.toLowerCase() === 'resourceuri' ? sameId(id, wanted) : within(id, world.group(wanted)?.id ?? '/none')
  }
  const told = world.operations.flatMap((operation) => entriesOf(world, operation))
  const found = told.filter(({ atMs, resourceId }) => atMs >= Date.parse(from) && atMs <= untilMs && isAsked(resourceId))
  return list(found.map((entry) => bodyOf(world, entry)))
}

function entriesOf(world: World, operation: Operation): Entry[] {
  const { what, resource, startedAtMs, durationMs, status, error, because } = operation
  const base = { resourceId: resource, operation: `${typeIn(resource)}/${what.endsWith('delete') ? 'delete' : 'write'}` }
  const ended = { ...base, atMs: startedAtMs + durationMs }
  return [
    { ...base, atMs: startedAtMs, status: 'Started' },
    ...(because === undefined ? [] : [{ ...base, resourceId: insideOf(world, resource), atMs: startedAtMs, status: 'Failed' as const, error: because }]),
    ...(status === 'succeeded' ? [{ ...ended, status: 'Succeeded' as const }] : []),
    ...(status === 'failed' && error !== undefined ? [{ ...ended, status: 'Failed' as const, error }] : []),
  ]
}

/** What keeps a cluster from coming up fails in the group of its nodes, not at the cluster. */
function insideOf(world: World, id: string): string {
  const cluster = world.resource(id)
  const nodes = cluster === undefined ? undefined : nodeGroupOf(world, cluster)
  const sets = world.ofType('Microsoft.Compute/virtualMachineScaleSets').filter((one) => nodes !== undefined && within(one.id, nodes.id))
  return sets[0]?.id ?? id
}

function typeIn(id: string): string {
  return /\/providers\/([^/]+\/[^/]+)\/[^/]+$/.exec(id)?.[1] ?? 'Microsoft.Resources/subscriptions/resourceGroups'
}

/** The error is wrapped as Azure wraps it: JSON in a text, and the cause in its details. */
function bodyOf(world: World, { resourceId, operation, atMs, status, error }: Entry): unknown {
  const wrapped = error && {
    status: 'Failed',
    error: { code: 'ResourceOperationFailure', message: "The resource operation completed with terminal provisioning state 'Failed'.", details: [error] },
  }
  return {
    eventTimestamp: new Date(atMs).toISOString(),
    resourceId,
    resourceGroupName: resourceId.split('/')[4] ?? '',
    operationName: { value: operation, localizedValue: operation },
    status: { value: status, localizedValue: status },
    subStatus: { value: error === undefined ? '' : 'Conflict', localizedValue: error === undefined ? '' : 'Conflict (HTTP Status Code: 409)' },
    caller: world.spec.tenant,
    properties: wrapped ? { statusCode: 'Conflict', statusMessage: JSON.stringify(wrapped) } : {},
  }
}
