import { beginDeletion } from '../deletion.js'
import { kindOf, kinds } from '../kinds.js'
import { fields } from '../object.js'
import { specSelector } from '../selectors.js'
import { isReady, leaving, setStatus, specOf, type Context } from './context.js'

/** A namespace that is being deleted takes everything in it along, and goes when it is empty. */
export function namespaceController(context: Context): void {
  const { store } = context
  for (const namespace of store.list(kindOf('namespaces'))) {
    const { name } = namespace.metadata
    if (!leaving(namespace)) {
      furnish(context, name)
      continue
    }
    let left = 0
    for (const kind of kinds.filter((one) => one.namespaced)) {
      for (const object of store.list(kind, name)) {
        if (!leaving(object)) beginDeletion(store, kind, object, {})
        left += 1
      }
    }
    if (left === 0) store.remove(kindOf('namespaces'), namespace)
  }
}

/** What every namespace has: an account for pods that name none, and the cluster's certificate authority. */
function furnish(context: Context, namespace: string): void {
  const { store } = context
  const metadata = { name: 'default', namespace }
  if (!store.get(kindOf('serviceaccounts'), namespace, 'default')) {
    store.create(kindOf('serviceaccounts'), { apiVersion: 'v1', kind: 'ServiceAccount', metadata })
  }
  if (!store.get(kindOf('configmaps'), namespace, 'kube-root-ca.crt')) {
    const data = { 'ca.crt': '' }
    store.create(kindOf('configmaps'), { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...metadata, name: 'kube-root-ca.crt' }, data })
  }
}

/** Disruption budgets only count; nothing in a world is evicted by itself. */
export function budgetController(context: Context): void {
  const kind = kindOf('poddisruptionbudgets.policy')
  for (const budget of context.store.list(kind)) {
    const matches = specSelector(specOf(budget)['selector'])
    const pods = context.store.list(kindOf('pods'), budget.metadata.namespace).filter((pod) => matches(pod.metadata.labels))
    const healthy = pods.filter(isReady).length
    const { minAvailable, maxUnavailable } = fields(budget['spec'])
    const of = (value: unknown): number =>
      typeof value === 'number' ? value : Math.ceil((pods.length * Number.parseInt(String(value), 10)) / 100)
    const desired = maxUnavailable === undefined ? of(minAvailable ?? 0) : Math.max(0, pods.length - of(maxUnavailable))
    setStatus(context, kind, budget, {
      observedGeneration: budget.metadata.generation,
      expectedPods: pods.length,
      currentHealthy: healthy,
      desiredHealthy: desired,
      disruptionsAllowed: Math.max(0, healthy - desired),
    })
  }
}
