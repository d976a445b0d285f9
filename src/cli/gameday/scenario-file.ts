import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { complaintsAbout, scenarioSchema, type Scenario } from '../../gameday/index.js'
import { loadChecked, renderDiagnostic, type CheckedFile, type Complaint, type Runbook } from '../../runbook/index.js'
import { readWorldSpec, WorldFileError } from '../../sim/world/load.js'
import type { WorldSpec } from '../../sim/world/spec.js'
import { readRunbook } from '../site.js'
import { changeComplaints } from './change.js'
import { knownOf } from './known.js'

/** A scenario with what it is played in. */
export interface LoadedScenario {
  /** As it was given. */
  readonly file: string
  readonly scenario: Scenario
  readonly runbook: Runbook
  /** Absolute path of the world's file. */
  readonly world: string
  readonly spec: WorldSpec
}

/**
 * Reads a scenario, its runbook and its world, with every finding at its place in the scenario. `isReal`: what cannot be played for real
 * on this machine is one.
 */
export async function loadScenario(file: string, isReal = false): Promise<CheckedFile<LoadedScenario>> {
  let found: Omit<LoadedScenario, 'file' | 'scenario'> | undefined
  const { value: scenario, diagnostics } = await loadChecked(file, scenarioSchema, async (read) => {
    const site = await siteOf(read, dirname(resolve(file)))
    if (!('runbook' in site)) return [site]
    found = site
    return [...complaintsAbout(read, knownOf(site, read.faults)), ...(isReal ? notForReal(read, process.platform) : [])]
  })
  return scenario === undefined || found === undefined ? { diagnostics } : { value: { file, scenario, ...found }, diagnostics }
}

async function siteOf(scenario: Scenario, folder: string): Promise<Omit<LoadedScenario, 'file' | 'scenario'> | Complaint> {
  const path = resolve(folder, scenario.runbook)
  if (!existsSync(path)) return await noFile(path)
  const { runbook, diagnostics } = await readRunbook(path)
  if (runbook === undefined) {
    const [first] = diagnostics
    return { path: ['runbook'], message: `this runbook cannot be used: ${first === undefined ? '' : renderDiagnostic(first)}` }
  }
  const world = scenario.world === undefined ? runbook.rehearsal?.world : resolve(folder, scenario.world)
  if (world === undefined) return { path: ['runbook'], message: `${runbook.name} names no world to be played in`, hint: 'say which under world' }
  const [wrong] = changeComplaints(scenario.change)
  if (wrong !== undefined) return wrong
  try {
    return { runbook, world, spec: await readWorldSpec(world, scenario.change) }
  } catch (error) {
    if (!(error instanceof WorldFileError)) throw error
    return { path: [scenario.change === undefined ? 'world' : 'change'], message: error.message.replaceAll(/\n\s*/g, ' ') }
  }
}

/** A path begins at the scenario's folder, so that the whole one is told. */
async function noFile(path: string): Promise<Complaint> {
  const message = `there is no file ${path}`
  const beside = await readdir(dirname(path)).catch(() => undefined)
  if (beside === undefined) return { path: ['runbook'], message, hint: `there is no folder ${dirname(path)} either` }
  const near = { word: basename(path), among: beside.filter((name) => /\.ya?ml$/.test(name)), what: 'files of YAML there' }
  return { path: ['runbook'], message, near }
}

/** Faults that would not strike where the scenario is played with real programs: it is not begun. */
export function notForReal({ faults }: Pick<Scenario, 'faults'>, platform: NodeJS.Platform): readonly Complaint[] {
  return faults.flatMap(({ id, do: { kind } }, index) => {
    if (kind !== 'program' || platform === 'linux') return []
    const message = `fault ${id} cannot be played with --real on ${platform}: the programs of a run are found by /proc`
    return [{ path: ['faults', index, 'do', kind], message, hint: 'play it on Linux, or without --real' }]
  })
}
