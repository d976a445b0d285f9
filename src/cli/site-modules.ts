import { stat } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { isPending, LifeboatError, type AnyStep, type Write } from '../contract/index.js'
import { writeSchema } from '../contract/write-schema.js'
import { durationMs, file, resourceId, secret } from '../contract/inputs.js'
import { clockOf } from '../platform/clock/clock.js'
import type { Platform } from '../platform/platform.js'
import type { BrokenModule, SiteModulePath } from '../runbook/index.js'
import { naming } from '../steps/parts/naming.js'
import { claim, defineStep, groupClaim, hours, inverted, known, minutes, seconds } from '../steps/step.js'

/**
 * What a module of the site's own is given, since a runbook may lie anywhere and can import nothing of ours. Names and
 * meanings are part of the contract that `src/steps/README.md` describes.
 */
export const stepKit = {
  ...{ z, defineStep, LifeboatError, durationMs, file, secret, resourceId, isPending },
  ...{ claim, groupClaim, inverted, known, naming, seconds, minutes, hours },
} as const

export type StepKit = typeof stepKit

export interface SiteModules {
  readonly modules: ReadonlyMap<string, AnyStep<Platform>>
  readonly broken: ReadonlyMap<string, BrokenModule>
}

/** Real milliseconds within which the top level of a module must be through. */
const loadWithinMs = 30_000

const functions = ['verification', 'preflight', 'observe', 'plan', 'apply', 'invert', 'claims', 'estimateMs'] as const

/** Loads what a runbook names by path. Loading runs the module's top level and the function that it exports. */
export async function loadSiteModules(named: readonly SiteModulePath[]): Promise<SiteModules> {
  const modules = new Map<string, AnyStep<Platform>>()
  const broken = new Map<string, BrokenModule>()
  for (const { uses, path } of named) {
    const loaded = await load(path)
    if ('message' in loaded) broken.set(uses, { ...loaded, message: `the module ${uses} ${loaded.message}` })
    else modules.set(uses, blamed(uses, loaded.module))
  }
  return { modules, broken }
}

async function load(path: string): Promise<{ readonly module: AnyStep<Platform> } | BrokenModule> {
  if (!(await stat(path).then((found) => found.isFile(), () => false))) {
    return { message: 'cannot be loaded: there is no such file', hint: "its path begins at the runbook's folder" }
  }
  const done = new AbortController()
  try {
    const tooLate = clockOf({}).sleepReal(loadWithinMs, done.signal).then(() => 'late' as const, () => 'late' as const)
    const made = await Promise.race([make(path), tooLate])
    if (made === 'late') return { message: `is not loaded after ${loadWithinMs / 1000} s`, hint: 'Let its top level wait for nothing.' }
    return made
  } catch (error) {
    return { message: `cannot be loaded: ${reasonOf(error)}`, hint: 'Mend it; `node` run on it says more.' }
  } finally {
    done.abort()
  }
}

async function make(path: string): Promise<{ readonly module: AnyStep<Platform> } | BrokenModule> {
  const { default: factory } = (await import(pathToFileURL(path).href)) as { readonly default?: unknown }
  if (typeof factory !== 'function') {
    return { message: 'has no function as its default export', hint: 'It begins with: export default ({ z, defineStep }) => defineStep({ … })' }
  }
  const module = (await (factory as (kit: StepKit) => unknown)(stepKit)) as Partial<AnyStep<Platform>> | null | undefined
  const wrong = wrongWith(module)
  if (wrong.length === 0) return { module: module as AnyStep<Platform> }
  return { message: `is no step module: ${wrong.join('; ')}`, hint: 'What a step module has is written in src/steps/README.md.' }
}

function wrongWith(module: Partial<AnyStep<Platform>> | null | undefined): readonly string[] {
  if (module === null || typeof module !== 'object') return ['its function gives nothing']
  const found: string[] = functions.filter((name) => typeof module[name] !== 'function').map((name) => `it has no function ${name}`)
  const { inputs, outputs } = module
  const identity: unknown = module.identity
  if (!isSchema(inputs) || typeof inputs.shape !== 'object') found.push('its inputs are no z.strictObject(…)')
  if (!isSchema(outputs)) found.push('its outputs are no z.object(…)')
  if (!Array.isArray(identity)) return [...found, 'it has no list of identity']
  const shape: Readonly<Record<string, unknown>> = inputs?.shape ?? {}
  return [...found, ...identity.map(String).filter((key) => !Object.hasOwn(shape, key)).map((key) => `${key} of its identity is not among its inputs`)]
}

function isSchema(value: unknown): value is z.ZodType {
  return typeof value === 'object' && value !== null && '_zod' in value
}

/** The module under the name that the runbook gives it, and with its mistakes told as its own: they are no defect of ours. */
function blamed(uses: string, module: AnyStep<Platform>): AnyStep<Platform> {
  const failed = (name: string, error: unknown): LifeboatError => {
    if (error instanceof LifeboatError) return error
    const why = error instanceof Error ? error.message : String(error)
    const hint = 'This is a mistake in that module, not in lifeboat. Mend it and try again.'
    return new LifeboatError('module.failed', `${uses} failed in ${name}: ${why}`, { blame: 'user', hint, cause: error })
  }
  const pure = <T>(name: string, work: () => T): T => {
    try {
      return work()
    } catch (error) {
      throw failed(name, error)
    }
  }
  const waiting = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw failed(name, error)
    }
  }
  const noWrites = (): never => {
    throw failed('writes', 'it is to answer a list of { method, path } and { command, on }')
  }
  const { inputs, outputs, identity, check, harms, stands, unseen, guards, rests, isBack } = module
  return {
    ...{ uses, inputs, outputs, identity },
    summary: module.summary,
    ...(check === true ? { check } : {}),
    ...(harms === true ? { harms } : {}),
    ...(stands === true ? { stands } : {}),
    ...(unseen === true ? { unseen } : {}),
    ...(guards === true ? { guards } : {}),
    ...(typeof rests === 'string' ? { rests } : {}),
    ...(isBack === undefined ? {} : { isBack: (...told) => pure('isBack', () => isBack.call(module, ...told)) }),
    verification: (wanted) => pure('verification', () => module.verification(wanted)),
    ...(module.pins === undefined ? {} : { pins: (wanted, ctx) => waiting('pins', async () => module.pins?.(wanted, ctx) ?? []) }),
    preflight: (changes, wanted, ctx) => waiting('preflight', () => module.preflight(changes, wanted, ctx)),
    observe: (wanted, ctx) => waiting('observe', () => module.observe(wanted, ctx)),
    plan: (wanted, seen) => pure('plan', () => module.plan(wanted, seen)),
    apply: (changes, wanted, ctx) => waiting('apply', () => module.apply(changes, wanted, ctx)),
    invert: (changes) => pure('invert', () => module.invert(changes)),
    ...(module.writes === undefined ? {} : { writes: (changes, wanted) => pure('writes', () => writesIn(module.writes?.(changes, wanted)) ?? noWrites()) }),
    claims: (wanted) => pure('claims', () => module.claims(wanted)),
    estimateMs: (wanted) => pure('estimateMs', () => module.estimateMs(wanted)),
  }
}

/** What would stand in the plan and be journaled. */
function writesIn(said: unknown): readonly Write[] | undefined {
  return z.array(writeSchema).safeParse(said).data
}

/** One line. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.split('\n')[0] ?? message
}
