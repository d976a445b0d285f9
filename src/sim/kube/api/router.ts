import type { KubeObject } from '../object.js'
import { fieldSelector, labelSelector } from '../selectors.js'
import { KubeError } from '../status.js'
import type { Store } from '../store.js'
import { aggregated, coreVersions, group, groupList, resourceList, reviews, version } from '../wire/discovery.js'
import { openapiDocument, openapiRoot } from '../wire/openapi.js'
import { tableOf, wantsTable } from '../wire/table.js'
import { decodeBody, headerOf, managerOf, placeOf, type Answer, type Call, type KubeCall } from './call.js'
import { onSubresource } from './subresources.js'
import { watch, type Selects, type Stream } from './watch.js'
import { create, existing, patch, remove, removeAll, replace } from './writes.js'

/** An answer, or a stream of events that begins when somebody takes it. */
export type Outcome = Answer | { readonly stream: Stream }

const notThere = new KubeError(404, 'NotFound', 'the server could not find the requested resource')

const discoveryType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

/** Answers one request of a client that has shown its token. Throws KubeError for every refusal. */
export function route(store: Store, gitVersion: string, request: KubeCall): Outcome {
  const url = new URL(request.url, 'https://kubernetes')
  const { method, body } = request
  const contentType = (headerOf(request, 'content-type') ?? '').split(';')[0]?.trim() ?? ''
  const accept = headerOf(request, 'accept')
  const known = method === 'GET' ? describe(url.pathname, gitVersion, accept ?? '') : undefined
  if (known) return known
  const review = reviewOf(url.pathname)
  if (review !== undefined && method === 'POST') return { status: 201, body: answerReview(decodeBody(contentType, body)) }
  const place = placeOf(url.pathname)
  if (!place) throw notThere
  const call: Call = {
    ...place,
    method,
    query: url.searchParams,
    contentType,
    body,
    manager: managerOf(url.searchParams, headerOf(request, 'user-agent')),
    asTable: method === 'GET' && wantsTable(accept),
  }
  return onObjects(store, call)
}

function onObjects(store: Store, call: Call): Outcome {
  const { method, kind, namespace, name, subresource } = call
  if (kind.namespaced && namespace === undefined && (name !== undefined || method === 'POST')) throw notThere
  if (subresource !== undefined) return onSubresource(store, call)
  const selects = selection(call)
  if (method === 'GET') {
    if (call.query.get('watch') === 'true' || call.query.get('watch') === '1') return { stream: watch(store, call, selects) }
    return { status: 200, body: name === undefined ? list(store, call, selects) : one(store, call) }
  }
  if (name === undefined) {
    if (method === 'POST') return create(store, call)
    if (method === 'DELETE') return removeAll(store, call, store.list(kind, namespace).filter(selects))
  } else {
    if (method === 'PUT') return replace(store, call)
    if (method === 'PATCH') return patch(store, call)
    if (method === 'DELETE') return remove(store, call)
  }
  throw new KubeError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource')
}

function selection(call: Call): Selects {
  const labels = labelSelector(call.query.get('labelSelector'))
  const inFields = fieldSelector(call.query.get('fieldSelector'))
  const { name } = call
  return (object: KubeObject) => labels(object) && inFields(object) && (name === undefined || object.metadata.name === name)
}

function one(store: Store, call: Call): unknown {
  const found = existing(store, call)
  return call.asTable ? tableOf(call.kind, [found], undefined, store.nowMs()) : found
}

function list(store: Store, call: Call, selects: Selects): unknown {
  const { kind, namespace } = call
  if (call.asTable) return tableOf(kind, store.list(kind, namespace).filter(selects), String(store.version), store.nowMs())
  return {
    kind: `${kind.kind}List`,
    apiVersion: kind.apiVersion,
    metadata: { resourceVersion: String(store.version) },
    items: store.list(kind, namespace).filter(selects),
  }
}

/** What the API says about itself; undefined for a path that is not about that. */
function describe(path: string, gitVersion: string, accept: string): Answer | undefined {
  const says = (body: unknown): Answer | undefined => (body === undefined ? undefined : { status: 200, body })
  const together = accept.includes('g=apidiscovery.k8s.io') && accept.includes('v=v2;')
  if (/^\/(readyz|livez|healthz)(\/.*)?$/.test(path)) return { status: 200, body: 'ok', contentType: 'text/plain; charset=utf-8' }
  if (path === '/version') return says(version(gitVersion))
  if (path === '/api') return together ? { status: 200, body: aggregated(true), contentType: discoveryType } : says(coreVersions())
  if (path === '/apis') return together ? { status: 200, body: aggregated(false), contentType: discoveryType } : says(groupList())
  if (path === '/openapi/v3') return says(openapiRoot())
  const openapi = /^\/openapi\/v3\/(.+)$/.exec(path)
  if (openapi) return says(openapiDocument(openapi[1] ?? ''))
  if (path === '/api/v1') return says(resourceList('v1'))
  const parts = /^\/apis\/([^/]+)(?:\/([^/]+))?\/?$/.exec(path)
  if (!parts) return undefined
  return says(parts[2] === undefined ? group(parts[1] ?? '') : resourceList(`${parts[1] ?? ''}/${parts[2]}`))
}

function reviewOf(path: string): string | undefined {
  const [, apiVersion = '', plural = ''] = /^\/apis\/([^/]+\/[^/]+)\/([^/]+)$/.exec(path) ?? []
  return reviews[apiVersion]?.find((one) => one.plural === plural)?.kind
}

/** There is one user, and it may do everything. */
function answerReview(body: Record<string, unknown>): unknown {
  const all = [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }]
  const status: Record<string, unknown> = {
    SelfSubjectAccessReview: { allowed: true },
    SelfSubjectRulesReview: { incomplete: false, resourceRules: all, nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }] },
    SelfSubjectReview: { userInfo: { username: 'masterclient', groups: ['system:masters', 'system:authenticated'] } },
  }
  return { ...body, status: status[String(body['kind'])] ?? {} }
}

/** The world's judgement of a request: does it write? Reviews only ask. A dry run counts as writing: a plan may not send it. */
export function writes(method: string, path: string): boolean {
  return !['GET', 'HEAD', 'OPTIONS'].includes(method) && reviewOf(path) === undefined
}
