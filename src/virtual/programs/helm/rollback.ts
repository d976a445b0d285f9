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
  const failure = await work(operation, release, last)
  if (failure !== undefined) return recorded(operation, failure, release, last)
  for (const one of history) if (one.info.status === 'deployed') await releases.update(become(one, 'superseded'))
  await releases.update(become(release, 'deployed'))
  return ended('Rollback was a success! Happy Helming!\n')
}

interface Failure {
  /** What helm ends with. */
  readonly said: string
  /** Its word in the record; absent where it leaves that pending. */
  readonly description?: string
  /** Does the revision that was to be replaced count as superseded all the same? */
  readonly supersedes?: boolean
}

/** Where a hook fails, helm leaves the revision pending; where Kubernetes refuses an object, it takes the one before for superseded. */
async function work(operation: Operation, to: Release, from: Release): Promise<Failure | undefined> {
  const { args, waiting, name } = operation
  const failureOf = (part: Promise<unknown>): Promise<string | undefined> => part.then(() => undefined, sayFailure)
  const hooks = args.has('--no-hooks') ? [] : to.hooks
  const before = await failureOf(runHooks(hooks, 'pre-rollback', waiting))
  if (before !== undefined) return { said: before }
  const manifests = objectsOf(to.manifest)
  const refused = await failureOf(bringTo(operation, manifests, objectsOf(from.manifest)))
  if (refused !== undefined) return { said: refused, description: `Rollback "${name}" failed: ${refused}`, supersedes: true }
  const waited = args.has('--wait') ? await waitUntilReady(manifests.map(({ object }) => object), waiting).catch(sayFailure) : undefined
  if (waited !== undefined) return { said: `release ${name} failed: ${waited}`, description: `Release "${name}" failed: ${waited}` }
  const after = await failureOf(runHooks(hooks, 'post-rollback', waiting))
  return after === undefined ? undefined : { said: after }
}

async function recorded({ releases }: Operation, failure: Failure, release: Release, last: Release): Promise<ProgramEnd> {
  const { said, description, supersedes = false } = failure
  if (supersedes) await releases.update(become(last, 'superseded')).catch(sayFailure)
  if (description !== undefined) await releases.update(become(release, 'failed', description)).catch(sayFailure)
  return failed(1, `Error: ${said}`)
}
