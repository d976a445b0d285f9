import { resolve } from 'node:path'
import { LifeboatError, type Clock, type CloudFacts, type Finding, type Log } from '../contract/index.js'
import { groupsOf, type Registry, type SecretPort, type StepScope, type Survivors } from '../engine/index.js'
import { newRunId, type Pin } from '../journal/index.js'
import type { AzureDoor } from '../platform/azure/door.js'
import { notBefore } from '../platform/clock/clock.js'
import { azureCloud, envOf, loadCloud } from '../platform/cloud/load.js'
import type { Cloud } from '../platform/cloud/schema.js'
import { openPlatform, siteMark } from '../platform/open.js'
import type { Platform } from '../platform/platform.js'
import { openSecrets } from '../platform/secrets/secrets.js'
import { loadRunbook, referencedFiles, renderDiagnostic, type Diagnostic, type Runbook } from '../runbook/index.js'
import { registry as builtIn } from '../steps/registry.js'
import { AlreadySaid } from './guard.js'
import { loadSiteModules } from './site-modules.js'
import { siteFindings, tagAction } from './site-checks.js'
import type { Invocation } from './invocation.js'
import { digestKey } from './state.js'
import { thisMachine, type Surroundings } from './surroundings.js'

/** A runbook together with the cloud it is for, and everything that reaches that cloud. */
export interface Site {
  readonly runbook: Runbook
  readonly registry: Registry<Platform>
  readonly cloud: Cloud
  readonly cloudFacts: CloudFacts & { readonly path: string | null }
  readonly clock: Clock
  /** By how much the machine's clock is behind what the run that goes on has journaled last: 0, unless somebody has set it back. */
  readonly setBackMs: number
  readonly env: (name: string) => string | undefined
  /** What the runbook refers to; the key of its digests lies in `stateRoot`. */
  secrets(stateRoot: string): SecretPort
  readonly processes: Surroundings['processes']
  readonly survivors: Survivors
  /** Doors for a run's steps; credentials lie in `secrets` while they are needed. */
  doors(secrets: string, run: string, log?: Log): (scope: StepScope) => Platform
  /** Checks of what belongs to no step; journals go under `stateRoot`. */
  checks(doors: (scope: StepScope) => Platform, stateRoot: string): () => Promise<readonly Finding[]>
  pins(): Promise<readonly Pin[]>
  newRunId(): string
}

export interface ReadRunbook {
  readonly runbook?: Runbook
  readonly diagnostics: readonly Diagnostic[]
  /** The step modules there are, and those of the site's own that the runbook names. */
  readonly registry: Registry<Platform>
}

/** The runbook, or what is wrong with it. Reads files only, but for what the site's own modules do when they are loaded. */
export async function readRunbook(path: string): Promise<ReadRunbook> {
  let registry = builtIn
  const parsed = await loadRunbook(path, async (named) => {
    const { modules, broken } = await loadSiteModules(named)
    if (modules.size > 0) registry = new Map([...builtIn, ...modules])
    const harmful = new Set([...registry].filter(([, { harms }]) => harms === true).map(([uses]) => uses))
    return { schemas: registry, harmful, broken }
  })
  return { ...parsed, registry }
}

/** Of a runbook that cannot be used; people have been told all of it (`Screen.diagnose`). */
export function runbookWrong(diagnostics: readonly Diagnostic[]): LifeboatError {
  const errors = diagnostics.filter(({ level }) => level === 'error')
  return new AlreadySaid('runbook.wrong', errors.map(renderDiagnostic).join('\n'), { blame: 'user' })
}

/** Without `cloudPath`: the cloud that the runbook names. `goesOnFrom`: time of the last record of the run that goes on. */
export async function openSite(
  runbook: Runbook,
  registry: Registry<Platform>,
  cloudPath: string | undefined,
  { env: processEnv, here = thisMachine }: Pick<Invocation, 'env' | 'here'>,
  goesOnFrom?: string,
): Promise<Site> {
  const path = cloudPath === undefined ? null : resolve(cloudPath)
  const cloud = path === null ? azureCloud(runbook.azure.cloud) : await loadCloud(path)
  const own = here.clockOf(cloud)
  const clock = goesOnFrom === undefined ? own : notBefore(own, Date.parse(goesOnFrom))
  const env = envOf(cloud, processEnv)
  const { subscription } = runbook.azure
  return {
    runbook,
    registry,
    cloud,
    cloudFacts: { name: cloud.name, resourceManager: cloud.resourceManager, subscription, path },
    clock,
    setBackMs: Math.max(0, clock.now().getTime() - own.now().getTime()),
    env,
    secrets: (stateRoot) => openSecrets({ cloud, folder: runbook.folder, env: processEnv }, digestKey(stateRoot)),
    processes: here.processes,
    survivors: here.survivors(siteMark({ cloud, subscription, runbook: runbook.name }), clock),
    doors: (secrets, run, log) =>
      openPlatform({
        ...{ cloud, subscription, clock, secrets, run, runbook: runbook.name, folder: runbook.folder, env: processEnv },
        ...(log === undefined ? {} : { log }),
        ...(here.wires && { wires: here.wires }),
      }),
    pins: () => pinsOf(runbook, registry, env),
    checks: (doors, stateRoot) => () => {
      const { azure } = doors(noStep)
      const groups = groupsOf({ runbook, registry, env })
      return siteFindings({ clock, serverTime: () => azure.serverTime(), stateRoot, untaggable: () => untaggable(azure, groups) })
    },
    newRunId: () => newRunId(runbook.name, clock.realNow(), () => here.random()),
  }
}

async function untaggable({ rights }: AzureDoor, groups: readonly string[]): Promise<readonly string[]> {
  const missing = await Promise.all(groups.map((group) => rights.missing(group, [tagAction])))
  return groups.filter((_, at) => missing[at]?.length !== 0)
}

/** What the run reads, fixed by digest. Throws `runbook.files` for what cannot be read, with its place in the runbook. */
async function pinsOf(runbook: Runbook, registry: Registry<Platform>, env: Site['env']): Promise<readonly Pin[]> {
  const { files, diagnostics } = await referencedFiles(runbook, registry, { env })
  if (diagnostics.length === 0) return files
  throw new LifeboatError('runbook.files', diagnostics.map(renderDiagnostic).join('\n'), { blame: 'user' })
}

/** For reading beside all steps: nothing is created, no child is started. */
export const noStep: StepScope = { step: 'site', children: { started: () => Promise.resolve(), ended: () => Promise.resolve() } }
