import { createHash } from 'node:crypto'
import { open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, relative, resolve } from 'node:path'
import { LifeboatError, type CloudFacts, type PlanFacts, type PlannedStep } from '../contract/index.js'
import type { Plan } from '../engine/index.js'
import type { Pin } from '../journal/index.js'
import type { Site } from './site.js'
import { toolVersion } from './version.js'

const type = 'lifeboat.plan'
const version = 1

/**
 * A plan as it was shown, to be run later as it was shown. It holds no secret: changes never do, and what is not known yet
 * stands in it as `$pending`.
 */
export interface PlanFile {
  readonly type: typeof type
  readonly version: typeof version
  /** Version of the lifeboat that wrote it. */
  readonly tool: string
  /** RFC 3339, real time. */
  readonly madeAt: string
  readonly runbook: { readonly name: string; readonly digest: string }
  readonly cloud: CloudFacts
  /** What the runbook reads, by digest; paths are relative to the runbook's folder. */
  readonly files: readonly Pin[]
  readonly facts: PlanFacts
  readonly steps: readonly PlannedStep[]
}

/** What a file on this machine can be refused for before anything is read from the cloud. */
export async function assertWritable(path: string): Promise<void> {
  const folder = dirname(resolve(path))
  const [there, above] = await Promise.all([stat(path).catch(() => undefined), stat(folder).catch(() => undefined)])
  if (above?.isDirectory() !== true) {
    throw wrong('no-folder', `there is no folder ${folder} for the plan file`, 'Make it, or name another file with --out.')
  }
  if (there !== undefined && !there.isFile()) throw wrong('no-file', `${path} is no regular file`, 'Name another file with --out.')
}

export async function planFileOf({ facts, steps }: Plan, site: Site): Promise<PlanFile> {
  return {
    type,
    version,
    tool: toolVersion(),
    madeAt: site.clock.realNow().toISOString(),
    runbook: { name: site.runbook.name, digest: digestOf(site.runbook.text) },
    cloud: cloudOf(site),
    files: await filesOf(site),
    facts,
    steps,
  }
}

/**
 * Writes it with mode 0600, whole or not at all: what stood there before stays until all of it is on the disk. Throws
 * `plan.not-written`.
 */
export async function writePlanFile(path: string, file: PlanFile, openFile: typeof open = open): Promise<void> {
  // As it will be read: what is pending has its form of JSON then.
  const body = JSON.parse(JSON.stringify(file)) as object
  const text = `${JSON.stringify({ ...body, seal: sealOf(body) }, null, 2)}\n`
  const draft = `${path}.${process.pid}.part`
  try {
    const handle = await openFile(draft, 'wx', 0o600)
    try {
      await handle.writeFile(text, 'utf8')
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(draft, path)
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => undefined)
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
    const why = code === 'ENOSPC' || code === 'EDQUOT' ? 'the disk is full' : code
    throw new LifeboatError('plan.not-written', `the plan file ${path} cannot be written: ${why}`, {
      blame: 'user',
      hint: 'Nothing was written there, and nothing was changed in the cloud. Make room, or name another file with --out.',
      cause,
    })
  }
}

/** Throws `plan-file.…` for a file that is not there, is none of ours, is damaged, or is of a newer lifeboat. */
export async function readPlanFile(path: string): Promise<PlanFile> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw wrong('unreadable', `the plan file ${path} cannot be read: ${code === 'ENOENT' ? 'there is no such file' : code}`, makeOne)
  })
  const parsed = parse(text)
  if (parsed === undefined && text.includes(`"${type}"`)) throw damaged(path)
  if (parsed?.['type'] !== type) throw wrong('foreign', `${path} is no plan file`, makeOne)
  if (parsed['version'] !== version) {
    const tool = typeof parsed['tool'] === 'string' ? ` (lifeboat ${parsed['tool']})` : ''
    throw wrong('newer', `${path} has format ${String(parsed['version'])}, which this version does not know${tool}`, 'Use the lifeboat that wrote it, or make a plan file anew.')
  }
  const { seal, ...body } = parsed
  // The seal says that it is as a lifeboat wrote it, so the rest is taken at its word.
  if (seal !== sealOf(body)) throw damaged(path)
  return body as unknown as PlanFile
}

/** Throws `plan-file.other` for a plan of another runbook, of another cloud, or of what has changed since. */
export async function assertSameSite(path: string, file: PlanFile, site: Site): Promise<void> {
  const here = cloudOf(site)
  if (file.runbook.name !== site.runbook.name) {
    throw wrong('other', `${path} is a plan of ${file.runbook.name}, not of ${site.runbook.name}`, 'Name the runbook that it was made of.')
  }
  if (file.cloud.resourceManager !== here.resourceManager || file.cloud.subscription !== here.subscription) {
    throw wrong('other', `${path} is a plan on ${sayCloud(file.cloud)}, and this run is on ${sayCloud(here)}`, 'Give the cloud that it was made on with --cloud.')
  }
  const changed = [
    ...(file.runbook.digest === digestOf(site.runbook.text) ? [] : ['the runbook itself']),
    ...differing(file.files, await filesOf(site), site.runbook.folder),
  ]
  if (changed.length === 0) return
  throw wrong('other', `what ${path} was made of has changed since:\n${changed.map((one) => `  ${one}`).join('\n')}`, makeOne)
}

const makeOne = 'Make one with: lifeboat plan RUNBOOK --out FILE'

function wrong(code: string, message: string, hint: string): LifeboatError {
  return new LifeboatError(`plan-file.${code}`, message, { blame: 'user', hint })
}

function damaged(path: string): LifeboatError {
  return wrong('damaged', `the plan file ${path} is not as it was written: it was cut off or changed`, makeOne)
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function sealOf(body: object): string {
  return digestOf(JSON.stringify(body))
}

function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`
}

function cloudOf({ cloudFacts: { name, resourceManager, subscription } }: Site): CloudFacts {
  return { name, resourceManager, subscription }
}

function sayCloud({ name, resourceManager, subscription }: CloudFacts): string {
  return `${name} (${resourceManager}, subscription ${subscription})`
}

async function filesOf(site: Site): Promise<readonly Pin[]> {
  return (await site.pins()).map(({ path, digest }) => ({ path: relative(site.runbook.folder, path), digest }))
}

function differing(before: readonly Pin[], now: readonly Pin[], folder: string): readonly string[] {
  const [old, fresh] = [before, now].map((pins) => new Map(pins.map(({ path, digest }) => [path, digest])))
  const paths = [...new Set([...(old?.keys() ?? []), ...(fresh?.keys() ?? [])])].filter((path) => old?.get(path) !== fresh?.get(path))
  return paths.map((path) => {
    const how = fresh?.has(path) !== true ? 'no longer read' : old?.has(path) === true ? 'other contents' : 'newly read'
    return `${path.startsWith('..') ? resolve(folder, path) : path}: ${how}`
  })
}
