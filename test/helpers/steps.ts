import { isIrreversible, type AnyStep, type Change, type Clock, type Json, type Observation, type OwnProgram, type PreflightContext } from '../../src/contract/index.js'
import type { SecretPort } from '../../src/engine/index.js'
import { clockOf } from '../../src/platform/clock/clock.js'
import { loadCloud } from '../../src/platform/cloud/load.js'
import { openPlatform } from '../../src/platform/open.js'
import type { Platform } from '../../src/platform/platform.js'
import { openSecrets } from '../../src/platform/secrets/secrets.js'
import { mapSecrets } from '../../src/runbook/index.js'
import { RecordedChildren } from './doors.js'
import { temporaryFolder } from './cli.js'
import { holder } from './leaks.js'

export const subscription = '5e1d1a2c-0100-4d47-9c19-201902251121'

export interface OpenedDoors {
  readonly doors: Platform
  readonly clock: Clock
  readonly children: RecordedChildren
  readonly secrets: string
  readonly env: (name: string) => string
}

/** The real doors to a served world, as a step of a run gets them. */
export async function doorsTo(cloudPath: string): Promise<OpenedDoors> {
  const cloud = await loadCloud(cloudPath)
  const clock = clockOf(cloud)
  const secrets = holder(temporaryFolder())
  const children = new RecordedChildren()
  const open = openPlatform({ cloud, subscription, clock, secrets, run: 'r', runbook: 'data100', folder: secrets, env: { PATH: process.env['PATH'] } })
  const env = (name: string): string => {
    const value = cloud.env?.[name]
    if (value === undefined) throw new Error(`the world has no ${name}`)
    return typeof value === 'string' ? value : 'file' in value ? value.file : ''
  }
  return { doors: open({ step: 's', children }), clock, children, secrets, env }
}

/** The secrets of a test: variables, with a key that says from which machine they are. */
export function secretsOf(env: Readonly<Record<string, string>>, key = 'of this machine'): SecretPort {
  return openSecrets({ cloud: {}, folder: '/', env }, () => Buffer.from(key))
}

const noSecrets = secretsOf({})

/** Drives one module by hand, as the engine does. */
export class Driven {
  readonly module: AnyStep<Platform>
  readonly ctx: PreflightContext<Platform> & { checkpoint(what: Json): Promise<void> }
  readonly inputs: Record<string, unknown>
  /** The same as they stand in a runbook. */
  readonly given: Record<string, unknown>
  /** Alternatives that were chosen for it. */
  readonly accepted = new Set<string>()
  /** What earlier lives of its run have started for it. */
  overPrograms: readonly OwnProgram[] = []

  constructor(module: AnyStep<Platform>, doors: Platform, clock: Clock, inputs: Record<string, unknown>, secrets: SecretPort = noSecrets) {
    this.module = module
    this.given = inputs
    this.inputs = mapSecrets(module.inputs.parse(inputs), module.inputs, (one) => ({ ...one, digest: secrets.digest(one) }))
    this.ctx = {
      doors,
      clock,
      signal: new AbortController().signal,
      accepted: this.accepted,
      overPrograms: () => this.overPrograms,
      progress: () => undefined,
      planned: () => [],
      secret: async (reference) => secrets.read(reference),
      checkpoint: async () => undefined,
    }
  }

  see(): Promise<Observation<Record<string, unknown>, unknown>> {
    return this.module.observe(this.inputs, this.ctx)
  }

  async plan(): Promise<readonly Change[]> {
    const seen = await this.see()
    if (seen.state === 'absent' || seen.state === 'drifted') return this.module.plan(this.inputs, seen)
    return []
  }

  apply(changes: readonly Change[]): Promise<void> {
    return this.module.apply(changes, this.inputs, this.ctx)
  }

  /** Plans and applies, and answers with what was changed. */
  async make(): Promise<readonly Change[]> {
    const changes = await this.plan()
    await this.apply(changes)
    return changes
  }
}

/** What changes do, as a sentence each. */
export function names(changes: readonly Change[]): string[] {
  return changes.map(({ action, resource }) => `${action} ${resource}`)
}

/** Puts changes back, the last one first. */
export function undo(step: Driven, changes: readonly Change[]): Promise<void> {
  return step.apply(step.module.invert(changes).filter((one): one is Change => !isIrreversible(one)).reverse())
}
