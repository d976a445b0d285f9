import { ended, failed, type ProgramEnd } from '../program.js'
import { runHooks } from './hooks.js'
import { HelmFailure, objectsOf } from './objects.js'
import { reach, sayFailure, type Operation } from './operation.js'
import { become, type Release } from './releases.js'
import { bringTo } from './upgrade.js'
import { waitUntilReady } from './wait.js'

/** `helm rollback NAME REVISION [--wait]`. A signal leaves it pending: it does not listen. */
export async function rollback(operation: Operation): Promise<ProgramEnd> {
  const { client, releases, name, args, at } = operation
  await reach(client)
  const history = await releases.history(name)
  const last = history.at(-1)
  if (last === undefined) throw new HelmFailure('release: not found')
  const wanted = Number(args.words[2] ?? last.version - 1)
  const target = history.find(({ version }) => version === wanted)
  if (target === undefined) throw new HelmFailure(`release has no ${wanted} version`)
  const release: Release = {
    ...target,
    version: last.version + 1,
    info: { ...target.info, last_deployed: at.now().toISOString(), status: 'pending-rollback', description: `Rollback to ${wanted}` },
  }
  await releases.create(release, history)
  const failure = await work(operation, release, last).then(() => undefined, sayFailure)
  if (failure !== undefined) {
    await releases.update(become(release, 'failed', `Release "${name}" failed: ${failure}`)).catch(sayFailure)
    return failed(1, `Error: release ${name} failed: ${failure}`)
  }
  for (const one of history) if (one.info.status === 'deployed') await releases.update(become(one, 'superseded'))
  await releases.update(become(release, 'deployed'))
  return ended('Rollback was a success! Happy Helming!\n')
}

async function work(operation: Operation, to: Release, from: Release): Promise<void> {
  const { args, waiting } = operation
  const hooks = args.has('--no-hooks') ? [] : to.hooks
  await runHooks(hooks, 'pre-rollback', waiting)
  const manifests = objectsOf(to.manifest)
  await bringTo(operation, manifests, objectsOf(from.manifest))
  const waited = args.has('--wait') ? await waitUntilReady(manifests.map(({ object }) => object), waiting) : undefined
  if (waited !== undefined) throw new HelmFailure(waited)
  await runHooks(hooks, 'post-rollback', waiting)
}
