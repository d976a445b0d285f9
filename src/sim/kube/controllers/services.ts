import { kindOf } from '../kinds.js'
import { count, fields, items, same, text, texts, type Fields, type KubeObject } from '../object.js'
import { specSelector } from '../selectors.js'
import { isReady, leaving, setStatus, specOf, statusOf, type Context, type Controller } from './context.js'

/** Services: public addresses of load balancers, some time after the service is made, and Endpoints. */
export function serviceController(): Controller {
  const promised = new Map<string, Promised>()
  return (context) => {
    forget(context, promised)
    for (const service of context.store.list(kindOf('services'))) {
      if (leaving(service)) continue
      balance(context, service, promised)
      endpoints(context, service)
    }
  }
}

/** An address, or when it is asked for again. */
interface Promised {
  readonly address?: string
  readonly atMs: number
  readonly tries: number
}

/** As the service controller of Kubernetes waits after a refusal. */
const firstRetryMs = 5_000
const lastRetryMs = 300_000

/** What is no load balancer any more leaves its address to others. */
function forget(context: Context, promised: Map<string, Promised>): void {
  const balanced = new Set(
    context.store.list(kindOf('services')).filter((one) => !leaving(one) && specOf(one)['type'] === 'LoadBalancer').map((one) => one.metadata.uid),
  )
  for (const uid of promised.keys()) {
    if (balanced.has(uid)) continue
    promised.delete(uid)
    context.around.releaseAddress(uid)
  }
}

function balance(context: Context, service: KubeObject, promised: Map<string, Promised>): void {
  const kind = kindOf('services')
  const { uid = '' } = service.metadata
  const spec = specOf(service)
  if (spec['type'] !== 'LoadBalancer') {
    setStatus(context, kind, service, { loadBalancer: {} })
    return
  }
  if (addressOf(service) !== undefined) return
  const before = promised.get(uid)
  if (!before) context.record(service, 'Normal', 'EnsuringLoadBalancer', 'Ensuring load balancer')
  const waits = before !== undefined && context.nowMs() < before.atMs
  const promise = before?.address !== undefined || waits ? before : asked(context, service, before?.tries ?? 0)
  promised.set(uid, promise)
  if (context.nowMs() < promise.atMs || promise.address === undefined) {
    context.wakeAt(promise.atMs)
    return
  }
  setStatus(context, kind, service, { loadBalancer: { ingress: [{ ip: promise.address, ipMode: 'VIP' }] } })
  context.record(service, 'Normal', 'EnsuredLoadBalancer', 'Ensured load balancer')
}

function asked(context: Context, service: KubeObject, tries: number): Promised {
  const { uid = '', namespace = '', name, annotations } = service.metadata
  const answer = context.around.loadBalancer({ uid, namespace, name, annotations: annotations ?? {} })
  if ('address' in answer) {
    return { address: text(specOf(service)['loadBalancerIP']) || answer.address, atMs: context.nowMs() + answer.afterMs, tries: tries + 1 }
  }
  context.record(service, 'Warning', 'SyncLoadBalancerFailed', answer.refused)
  return { atMs: context.nowMs() + Math.min(lastRetryMs, firstRetryMs * 2 ** tries), tries: tries + 1 }
}

/** The public address of a service; undefined until it has one. */
export function addressOf(service: KubeObject): string | undefined {
  return text(items(fields(statusOf(service)['loadBalancer'])['ingress'])[0]?.['ip']) || undefined
}

function selected(context: Context, service: KubeObject): KubeObject[] {
  const selector = texts(specOf(service)['selector'])
  if (Object.keys(selector).length === 0) return []
  return context.store.list(kindOf('pods'), service.metadata.namespace).filter((pod) => specSelector({ matchLabels: selector })(pod.metadata.labels))
}

function endpoints(context: Context, service: KubeObject): void {
  const { store } = context
  const kind = kindOf('endpoints')
  const { name, namespace = '' } = service.metadata
  if (Object.keys(texts(specOf(service)['selector'])).length === 0) return
  const pods = selected(context, service).filter((pod) => !leaving(pod) && text(statusOf(pod)['podIP']) !== '')
  const addresses = (ready: boolean): Fields[] =>
    pods.filter((pod) => isReady(pod) === ready).map((pod) => ({
      ip: text(statusOf(pod)['podIP']),
      nodeName: text(specOf(pod)['nodeName']),
      targetRef: { kind: 'Pod', namespace, name: pod.metadata.name, uid: pod.metadata.uid },
    }))
  const ports = items(specOf(service)['ports']).map(({ name: called, port, protocol }) => ({ ...(called === undefined ? {} : { name: called }), port, protocol }))
  const ready = addresses(true)
  const not = addresses(false)
  const subset = { ...(ready.length === 0 ? {} : { addresses: ready }), ...(not.length === 0 ? {} : { notReadyAddresses: not }), ports }
  const subsets = ready.length + not.length === 0 ? [] : [subset]
  const there = store.get(kind, namespace, name)
  if (there) {
    if (same(there['subsets'], subsets)) return
    store.edit(kind, there, (draft) => {
      draft['subsets'] = subsets
    })
    return
  }
  const { apiVersion, kind: ofKind, metadata } = service
  const ownerReferences = [{ apiVersion, kind: ofKind, name, uid: metadata.uid ?? '' }]
  store.create(kind, { apiVersion: 'v1', kind: 'Endpoints', metadata: { name, namespace, ownerReferences }, subsets })
}

/** Is every pod of the workloads that a service selects ready, with none missing? False if it selects none. */
export function servesFully(context: Pick<Context, 'store'>, service: KubeObject): boolean {
  const selector = texts(specOf(service)['selector'])
  if (Object.keys(selector).length === 0) return false
  const matches = specSelector({ matchLabels: selector })
  const namespace = service.metadata.namespace
  const pods = context.store.list(kindOf('pods'), namespace).filter((pod) => matches(pod.metadata.labels) && !leaving(pod))
  const workloads = ['deployments.apps', 'statefulsets.apps', 'daemonsets.apps'].flatMap((id) =>
    context.store.list(kindOf(id), namespace).filter((one) => matches(texts(fields(fields(specOf(one)['template'])['metadata'])['labels']))),
  )
  const complete = workloads.every((one) => {
    const status = statusOf(one)
    if (status['observedGeneration'] !== one.metadata.generation) return false
    if (one.kind === 'DaemonSet') return count(status['numberReady']) >= count(status['desiredNumberScheduled'], 1)
    const wanted = count(specOf(one)['replicas'], 1)
    return count(status['readyReplicas']) >= wanted && count(status['updatedReplicas']) >= wanted
  })
  return complete && pods.length > 0 && pods.every(isReady)
}
