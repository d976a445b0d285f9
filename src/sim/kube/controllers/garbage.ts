import { beginDeletion, dependentsOf, foregroundDeletion } from '../deletion.js'
import { kinds } from '../kinds.js'
import { leaving, type Context } from './context.js'

/** Deletes what has lost all its owners, and lets an owner go that waited for what it owns. */
export function garbageController(context: Context): void {
  const { store } = context
  const alive = new Set(store.all().map((one) => one.metadata.uid))
  for (const kind of kinds) {
    for (const object of store.list(kind)) {
      const owners = object.metadata.ownerReferences ?? []
      if (owners.length > 0 && !leaving(object) && owners.every((one) => !alive.has(one.uid))) beginDeletion(store, kind, object, {})
      if (!leaving(object) || object.metadata.finalizers?.includes(foregroundDeletion) !== true) continue
      const dependents = dependentsOf(store, object)
      for (const [of, dependent] of dependents) {
        if (!leaving(dependent)) beginDeletion(store, of, dependent, { propagationPolicy: 'Foreground' })
      }
      if (dependents.length > 0) continue
      store.edit(kind, object, (draft) => {
        draft.metadata.finalizers = (draft.metadata.finalizers ?? []).filter((one) => one !== foregroundDeletion)
      })
    }
  }
}
