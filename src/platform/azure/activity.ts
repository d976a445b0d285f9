import type { ActivityDoor, Failure } from './activity-door.js'
import { askAll } from './ask.js'
import { clean } from './errors.js'
import { parseId } from './ids.js'
import type { AzureSession } from './session.js'

interface Event {
  readonly eventTimestamp?: string
  readonly status?: { readonly value?: string }
  readonly subStatus?: { readonly value?: string; readonly localizedValue?: string }
  readonly operationName?: { readonly value?: string }
  /** `statusMessage` is JSON, mostly. */
  readonly properties?: { readonly statusMessage?: string }
}

interface Told {
  readonly code?: string
  readonly message?: string
  readonly details?: readonly Told[]
}

/** The activity log, which no SDK of the project's has. Its filter knows few forms (azure-docs, rest-activity-log). */
export function openActivity(session: AzureSession): ActivityDoor {
  const read = (id: string, since: Date): Promise<readonly Event[]> => {
    const group = /^\/subscriptions\/[^/]+\/resourceGroups\/([^/]+)$/i.exec(id)?.[1]
    const where = group === undefined ? `resourceUri eq '${id}'` : `resourceGroupName eq '${group}'`
    return askAll<Event>(session, {
      doing: `reading the activity log of ${id.split('/').at(-1) ?? id}`,
      path: `/subscriptions/${session.subscription}/providers/Microsoft.Insights/eventtypes/management/values`,
      apiVersion: '2015-04-01',
      query: { $filter: `eventTimestamp ge '${since.toISOString()}' and ${where}` },
    })
  }
  return {
    async failures(id, since) {
      const events = await read(id, since)
      const failed = events.filter(({ status }) => status?.value === 'Failed').map(failureOf)
      return failed.sort((a, b) => b.at.getTime() - a.at.getTime())
    },
    async wasWritten(id, since) {
      const write = `${parseId(id).type}/write`.toLowerCase()
      const events = await read(id, since)
      return events.some(({ status, operationName }) => status?.value === 'Succeeded' && operationName?.value?.toLowerCase() === write)
    },
  }
}

function failureOf({ eventTimestamp, operationName, subStatus, properties }: Event): Failure {
  const { code, message } = innermost(parsed(properties?.statusMessage))
  return {
    at: new Date(eventTimestamp ?? 0),
    operation: operationName?.value ?? '',
    code: code ?? subStatus?.value ?? 'Failed',
    message: clean(message ?? subStatus?.localizedValue ?? 'no more is told'),
  }
}

function parsed(statusMessage: string | undefined): Told {
  try {
    const said = JSON.parse(statusMessage ?? '{}') as Told & { readonly error?: Told }
    return said.error ?? said
  } catch {
    return statusMessage === undefined ? {} : { message: statusMessage }
  }
}

/** "The operation failed" wraps what failed in it, often several times. */
function innermost(told: Told): Told {
  const inner = told.details?.find(({ code, message }) => code !== undefined || message !== undefined)
  return inner === undefined ? told : innermost(inner)
}
