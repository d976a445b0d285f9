import { ended, type ProgramEnd } from '../program.js'
import { runHooks } from './hooks.js'
import { HelmFailure, isKept, objectsOf, remove } from './objects.js'
import { reach, sayFailure, type Operation } from './operation.js'
import { become } from './releases.js'
import type { Manifest } from './render.js'
import { waitUntilGone } from './wait.js'

/** `helm uninstall NAME [--ignore-not-found] [--wait]`. A signal leaves it uninstalling: it does not listen. */
export async function uninstall(operation: Operation): Promise<ProgramEnd> {
  const { client, releases, name, args, at, waiting } = operation
  const done = ended(`release "${name}" uninstalled\n`)
  await reach(client)
  const history = await releases.history(name)
  const last = history.at(-1)
  if (last === undefined) {
    if (args.has('--ignore-not-found')) return done
    throw new HelmFailure(`uninstall: Release not loaded: ${name}: release: not found`)
  }
  const going = become(last, 'uninstalling', 'Deletion in progress (or silently failed)')
  await releases.update({ ...going, info: { ...going.info, deleted: at.now().toISOString() } })
  await runHooks(last.hooks, 'pre-delete', waiting)
  const errors: string[] = []
  const doomed = inOrder(objectsOf(last.manifest).filter((one) => !isKept(one)))
  for (const { object } of doomed) {
    await remove(client, object, operation.namespace).catch((error: unknown) => errors.push(sayFailure(error)))
  }
  const left = args.has('--wait') ? await waitUntilGone(doomed.map(({ object }) => object), waiting) : undefined
  if (left !== undefined) errors.push(left)
  await runHooks(last.hooks, 'post-delete', waiting)
  // Whatever could not be deleted: the release is forgotten.
  for (const one of history) await releases.remove(one)
  if (errors.length > 0) throw new HelmFailure(`uninstallation completed with ${errors.length} error(s): ${errors.join('; ')}`)
  return done
}

/** What serves goes first, then in the reverse of the order in which it was made. */
function inOrder(manifests: readonly Manifest[]): readonly Manifest[] {
  const rank = ({ object }: Manifest): number => (object.kind === 'Service' || object.kind === 'Ingress' ? 0 : 1)
  return [...manifests].reverse().sort((one, other) => rank(one) - rank(other))
}
