import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { ended, type ProgramEnd } from '../program.js'
import { runHooks } from './hooks.js'
import { apply, applyAsIs, HelmFailure, isKept, objectsOf, placeOf, remove, sameObject, whyNotOurs } from './objects.js'
import { reach, sayFailure, type Operation } from './operation.js'
import { become, isPending, manifestOf, storedHook, type ChartMetadata, type Release } from './releases.js'
import type { Manifest, Rendering } from './render.js'
import { configOf, valueFlags } from './values.js'
import { waitUntilReady } from './wait.js'

/** Milliseconds of the world until helm has recorded that it was told to end (facts/helm-wire). */
const cancelMs = 10

/** `helm upgrade --install NAME CHART …`. */
export async function upgradeOrInstall(operation: Operation): Promise<ProgramEnd> {
  const cancelled = whenTold(operation)
  const { releases, name } = operation
  const { gitVersion } = await reach(operation.client)
  const history = await releases.history(name)
  const last = history.at(-1)
  if (last === undefined) return install(operation, gitVersion, cancelled)
  try {
    return await upgrade(operation, gitVersion, history, last, cancelled)
  } catch (error) {
    return { exitCode: 1, stdout: '', stderr: `Error: UPGRADE FAILED: ${sayFailure(error)}\n` }
  }
}

async function install(operation: Operation, kubeVersion: string, cancelled: Cancelled): Promise<ProgramEnd> {
  const { client, releases, name, namespace, args, waiting } = operation
  const said = `Release "${name}" does not exist. Installing it now.\n`
  const fail = (why: string, more = ''): ProgramEnd => ({ exitCode: 1, stdout: said + more, stderr: `Error: ${why}\n` })
  let release: Release
  let rendering: Rendering
  try {
    rendering = render(operation, ['--kube-version', kubeVersion])
    for (const { object } of rendering.manifests) placeOf(object, namespace)
    for (const one of rendering.manifests) await assertOurs(operation, one, 'unable to continue with install')
    if (args.has('--create-namespace')) {
      await applyAsIs(client, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels: { name: namespace } } }, namespace)
    }
    release = made(operation, rendering, 1, { status: 'pending-install', description: 'Initial install underway' })
    await releases.create(release, []).catch((error: unknown) => {
      throw new HelmFailure(`create: failed to create: ${sayFailure(error)}`)
    })
  } catch (error) {
    return fail(sayFailure(error))
  }
  const work = async (): Promise<void> => {
    await hooksOf(release, 'pre-install', operation, 'failed pre-install')
    for (const { object } of rendering.manifests) await apply(client, object, operation)
    const failure = args.has('--wait') ? await waitUntilReady(rendering.manifests.map(({ object }) => object), waiting) : undefined
    if (failure !== undefined) throw new HelmFailure(failure)
    await hooksOf(release, 'post-install', operation, 'failed post-install')
  }
  const failure = await cancelled.or(work())
  if (failure === undefined) {
    // Helm says that it is there even where that cannot be recorded.
    await record(operation, become(release, 'deployed', description(operation, 'Install complete')))
    return ended(`${said}${summaryOf(operation, release)}`)
  }
  await record(operation, become(release, 'failed', `Release "${name}" failed: ${failure}`))
  return fail(failure, cancelled.told() ? `Release ${name} has been cancelled.\n` : '')
}

async function upgrade(
  operation: Operation,
  kubeVersion: string,
  history: readonly Release[],
  last: Release,
  cancelled: Cancelled,
): Promise<ProgramEnd> {
  const { releases, name, args, waiting } = operation
  if (isPending(last)) throw new HelmFailure('another operation (install/upgrade/rollback) is in progress')
  const current = currentOf(history, last, name)
  const rendering = render(operation, ['--is-upgrade', '--kube-version', kubeVersion])
  const before = objectsOf(current.manifest)
  for (const { object } of rendering.manifests) placeOf(object, operation.namespace)
  const fresh = rendering.manifests.filter(({ object }) => !before.some((one) => sameObject(one.object, object)))
  for (const one of fresh) await assertOurs(operation, one, 'unable to continue with update')
  const release = made(operation, rendering, last.version + 1, { status: 'pending-upgrade', description: 'Preparing upgrade', first: current })
  await releases.create(release, history)
  const work = async (): Promise<void> => {
    await hooksOf(release, 'pre-upgrade', operation, 'pre-upgrade hooks failed')
    await bringTo(operation, rendering.manifests, before)
    const failure = args.has('--wait') ? await waitUntilReady(rendering.manifests.map(({ object }) => object), waiting) : undefined
    if (failure !== undefined) throw new HelmFailure(failure)
    await hooksOf(release, 'post-upgrade', operation, 'post-upgrade hooks failed')
  }
  const failure = await cancelled.or(work())
  if (failure === undefined) {
    await releases.update(become(current, 'superseded'))
    await releases.update(become(release, 'deployed', description(operation, 'Upgrade complete')))
    return ended(`Release "${name}" has been upgraded. Happy Helming!\n${summaryOf(operation, release)}`)
  }
  await record(operation, become(release, 'failed', `Upgrade "${name}" failed: ${failure}`))
  const warning = `level=WARN msg="upgrade failed" name=${name} error=${JSON.stringify(failure)}\n`
  const stdout = cancelled.told() ? `Release ${name} has been cancelled.\n` : ''
  return { exitCode: 1, stdout, stderr: `${warning}Error: UPGRADE FAILED: ${failure}\n` }
}

/** Applies what is wanted, one after the other, and takes away what is wanted no more. */
export async function bringTo(operation: Operation, wanted: readonly Manifest[], before: readonly Manifest[]): Promise<void> {
  const { client, namespace } = operation
  for (const { object } of wanted) {
    const there = await client.find(placeOf(object, namespace))
    await apply(client, object, operation).catch((error: unknown) => {
      throw there === undefined ? new HelmFailure(`failed to create resource: ${sayFailure(error)}`) : error
    })
  }
  for (const one of before) {
    const isWanted = wanted.some(({ object }) => sameObject(object, one.object))
    if (!isWanted && !isKept(one)) await remove(client, one.object, namespace)
  }
}

/** The revision whose objects are there: the deployed one, or the last, if it is one that left some. */
function currentOf(history: readonly Release[], last: Release, name: string): Release {
  if (last.info.status === 'deployed') return last
  const deployed = history.findLast(({ info }) => info.status === 'deployed')
  if (deployed !== undefined) return deployed
  if (last.info.status === 'failed' || last.info.status === 'superseded') return last
  throw new HelmFailure(`"${name}" has no deployed releases`)
}

function render({ args, at, renderer, name, namespace }: Operation, flags: readonly string[]): Rendering {
  const rendering = renderer.render({ chart: args.words[2] ?? '', name, namespace, values: valueFlags(args), flags }, at.env)
  if ('failure' in rendering) throw new HelmFailure(rendering.failure)
  return rendering
}

async function assertOurs(operation: Operation, manifest: Manifest, words: string): Promise<void> {
  const why = await whyNotOurs(operation.client, manifest, operation)
  if (why !== undefined) throw new HelmFailure(`${words}: ${why}`)
}

async function hooksOf(release: Release, event: string, { args, waiting }: Operation, words: string): Promise<void> {
  if (args.has('--no-hooks')) return
  await runHooks(release.hooks, event, waiting).catch((error: unknown) => {
    throw new HelmFailure(`${words}: ${sayFailure(error)}`)
  })
}

function description({ args }: Operation, otherwise: string): string {
  return args.value('--description') ?? otherwise
}

interface Begun {
  readonly status: Release['info']['status']
  readonly description: string
  /** An earlier revision, for the time of the first. */
  readonly first?: Release
}

function made(operation: Operation, rendering: Rendering, version: number, { status, description, first }: Begun): Release {
  const { args, at, name, namespace } = operation
  const now = at.now().toISOString()
  return {
    name,
    namespace,
    version,
    info: { first_deployed: first?.info.first_deployed ?? now, last_deployed: now, description, status },
    chart: { metadata: metadataOf(args.words[2] ?? '') },
    config: configOf(args.values('--values'), args.values('--set')),
    manifest: manifestOf(rendering.manifests),
    hooks: rendering.hooks.map(storedHook),
    apply_method: 'ssa',
  }
}

/** Of a chart in a folder; of an archive only its name tells (`hub-0.1.0.tgz`). */
function metadataOf(chart: string): ChartMetadata {
  const packed = /([^/]+)-(\d+\.\d+\.\d+[^/]*)\.tgz$/.exec(chart)
  if (packed !== null) return { name: packed[1] ?? '', version: packed[2] ?? '', apiVersion: 'v2' }
  return parse(readFileSync(join(chart, 'Chart.yaml'), 'utf8')) as ChartMetadata
}

function summaryOf({ name, namespace, at }: Operation, { version }: Release): string {
  return `NAME: ${name}\nLAST DEPLOYED: ${at.now().toUTCString()}\nNAMESPACE: ${namespace}\nSTATUS: deployed\nREVISION: ${version}\n`
}

/** Where the server cannot be told any more, the revision stays pending, and helm says nothing of it. */
async function record({ releases }: Operation, release: Release): Promise<void> {
  await releases.update(release).catch(sayFailure)
}

interface Cancelled {
  told(): boolean
  /** What an operation failed with: its own failure, or that it was told to end in the midst of it. Undefined if it succeeded. */
  or(work: Promise<void>): Promise<string | undefined>
}

/** helm ends by itself at SIGTERM, once there is a record that says that it began. */
function whenTold({ at }: Operation): Cancelled {
  let wasTold = false
  let hear: () => void = () => undefined
  const told = new Promise<string>((resolve) => (hear = () => resolve('context canceled')))
  at.onTerminate(() => {
    wasTold = true
    hear()
  })
  return {
    told: () => wasTold,
    async or(work) {
      const result = await Promise.race([work.then(() => undefined, sayFailure), told])
      if (wasTold) await at.sleep(cancelMs)
      return result
    },
  }
}
