import type { PipelinePolicy, PipelineRequest, PipelineResponse } from '@azure/core-rest-pipeline'
import { LifeboatError } from '../../contract/index.js'
import { mayEndEmpty } from './hints.js'

/**
 * Looks at what comes back before an SDK makes something of it. The SDKs fill in what is missing: a proxy's page, an empty
 * object, half a text would be read as a resource without properties, a list without members. What is not an answer of Azure's
 * throws `azure.garbled`: nothing is known then.
 */
export const answersPolicy: PipelinePolicy = {
  name: 'lifeboatAnswers',
  async sendRequest(request, next) {
    const response = await next(request)
    const wrong = wrongWith(request, response)
    if (wrong === undefined) return response
    throw new LifeboatError('azure.garbled', `${new URL(request.url).host} answers ${wrong}`, {
      retry: {},
      hint: 'Something may answer in its place: a proxy, a page that wants a login. Look at what `curl` gets from that address.',
    })
  },
}

function wrongWith({ method, url }: PipelineRequest, { status, bodyAsText }: PipelineResponse): string | undefined {
  if (status < 200 || status > 201 || method === 'HEAD') return undefined
  const text = bodyAsText ?? ''
  if (text.trim() === '') return method === 'GET' && !(mayEndEmpty() && isResult(url)) ? 'with nothing' : undefined
  const body = parsed(text)
  if (body === undefined) return `with what is no JSON: ${beginning(text)}`
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return `with JSON of another kind: ${beginning(text)}`
  if (method === 'GET' && typeof (body as { id?: unknown }).id !== 'string' && isResource(new URL(url).pathname)) {
    return `with something that is no resource: ${beginning(text)}`
  }
  return undefined
}

/** What a Location leads to in the end. */
function isResult(url: string): boolean {
  const { pathname, searchParams } = new URL(url)
  return /\/operation-?results\//i.test(pathname) || searchParams.get('monitor') === 'true'
}

/** Paths of resources and groups; lists, operations and everything else of a location have other shapes. */
function isResource(path: string): boolean {
  const segments = path.split('/').filter((segment) => segment !== '').map((segment) => segment.toLowerCase())
  if (segments.includes('locations')) return false
  const at = segments.lastIndexOf('providers')
  if (at === -1) return segments.length === 4 && segments[2] === 'resourcegroups'
  const names = segments.length - at - 2
  return names > 0 && names % 2 === 0
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/** Enough to know whose page it is; not all of what may be private. */
function beginning(text: string): string {
  return JSON.stringify(text.replace(/\s+/g, ' ').trim().slice(0, 60))
}
