import { applyAsIs, HelmFailure, remove } from './objects.js'
import { hookStandingOf } from './status.js'
import { waitUntilGone, waitUntilReady, type Waiting } from './wait.js'
import type { StoredHook } from './releases.js'
import { objectsOf } from './objects.js'

/** Runs the hooks of an event in their order, each to its end. Throws HelmFailure with what helm says of the first that fails. */
export async function runHooks(hooks: readonly StoredHook[], event: string, waiting: Waiting): Promise<void> {
  const { client, namespace } = waiting
  const due = hooks
    .filter(({ events }) => events.includes(event))
    .sort((one, other) => (one.weight ?? 0) - (other.weight ?? 0) || (one.name < other.name ? -1 : 1))
  for (const hook of due) {
    const object = objectsOf(hook.manifest)[0]?.object
    if (object === undefined) continue
    const policies = hook.delete_policies ?? []
    if (policies.includes('before-hook-creation') && (await remove(client, object, namespace))) await waitUntilGone([object], waiting)
    await applyAsIs(client, object, namespace)
    const failure = await waitUntilReady([object], waiting, hookStandingOf)
    if (policies.includes(failure === undefined ? 'hook-succeeded' : 'hook-failed')) await remove(client, object, namespace)
    if (failure !== undefined) throw new HelmFailure(failure)
  }
}
