import type { ResourceManagementClient } from '@azure/arm-resources'
import { LifeboatError } from '../../contract/index.js'

/** What a question needs of a login; `AzureSession` is one. */
export interface Asking {
  readonly subscription: string
  readonly endpoint: string
  readonly resources: () => Promise<ResourceManagementClient>
  read<T>(doing: string, call: () => Promise<T>): Promise<T | undefined>
  shared<T>(key: string, work: () => Promise<T>): Promise<T>
}

/** One question that no SDK of the project's has a function for. */
export interface Question {
  /** `reading the locks of …`, for messages. */
  readonly doing: string
  /** Path of the resource manager, without the api-version. */
  readonly path: string
  readonly apiVersion: string
  readonly query?: Readonly<Record<string, string>>
  /** Makes it a POST: only for those that read (design §8). */
  readonly body?: object
}

/**
 * Asks by the resource client's own pipeline, which logs in. Undefined for what does not exist. Those who ask the same at
 * one moment share one answer: the readiness of a dozen steps is looked at side by side.
 */
export function ask<T>(session: Asking, question: Question): Promise<T | undefined> {
  const { doing, path, apiVersion, query = {}, body } = question
  const url = `${session.endpoint}${path}?${new URLSearchParams({ 'api-version': apiVersion, ...query }).toString()}`
  return session.shared(JSON.stringify([url, body]), () => session.read(doing, () => send<T>(session, url, question)))
}

/** The same for a list, all its pages; empty for what does not exist. */
export async function askAll<T>(session: Asking, question: Question): Promise<readonly T[]> {
  const first = await ask<Page<T>>(session, question)
  const all = [...(first === undefined ? [] : membersOf(first, question))]
  for (let next = first?.nextLink; next !== undefined && next !== ''; ) {
    const url = next
    if (new URL(url).origin !== session.endpoint) {
      throw new LifeboatError('azure.failed', `${question.doing}: the list goes on at another server, which is not asked`)
    }
    const page = await session.read(question.doing, () => send<Page<T>>(session, url, question))
    if (page !== undefined) all.push(...membersOf(page, question))
    next = page?.nextLink
  }
  return all
}

interface Page<T> {
  readonly value?: readonly T[]
  readonly nextLink?: string
}

/** A list always has its members, be they none: without them it is not known what there is. */
function membersOf<T>({ value }: Page<T>, { doing }: Question): readonly T[] {
  if (Array.isArray(value)) return value as readonly T[]
  throw new LifeboatError('azure.garbled', `${doing}: the answer is no list`, { retry: {} })
}

async function send<T>(session: Asking, url: string, { doing, body }: Question): Promise<T> {
  const { createPipelineRequest, createHttpHeaders, RestError } = await import('@azure/core-rest-pipeline')
  const client = await session.resources()
  const request = createPipelineRequest({
    url,
    ...(body === undefined
      ? {}
      : { method: 'POST' as const, body: JSON.stringify(body), headers: createHttpHeaders({ 'content-type': 'application/json' }) }),
  })
  const answer = await client.sendRequest(request)
  const said = parsed(answer.bodyAsText)
  if (answer.status === 200 && said !== undefined) return said as T
  if (answer.status === 200) throw new LifeboatError('azure.failed', `${doing}: the answer is not understood`)
  const { code, message } = (said as { error?: { code?: string; message?: string } } | undefined)?.error ?? {}
  const error = new RestError(message ?? `status ${answer.status}`, { statusCode: answer.status, response: answer, ...(code === undefined ? {} : { code }) })
  // `read` tells absence by it.
  throw error
}

function parsed(text: string | null | undefined): unknown {
  try {
    return JSON.parse(text ?? '') as unknown
  } catch {
    return undefined
  }
}
