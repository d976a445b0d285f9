import { expect } from 'vitest'
import type { Plan } from '../../src/engine/index.js'
import { data100 } from './cli.js'
import { lifeboatHere } from './cli-here.js'
import { worldRequests, type Served } from './served.js'

export type Readiness = Pick<Plan, 'findings' | 'failures'> & { readonly code: number | null }

/** What `lifeboat plan` finds in a world; whatever it finds, it has written nothing. */
export async function readinessIn(world: Served, { cloud = world.cloudPath, runbook = data100, env = {} } = {}): Promise<Readiness> {
  const { code, stdout, stderr } = await lifeboatHere(['plan', runbook, '--cloud', cloud, '--json'], env)
  if (stdout === '') throw new Error(`no plan came of it:\n${stderr}`)
  const { findings, failures } = JSON.parse(stdout.split('\n')[0] ?? '') as Plan
  expect((await worldRequests(world)).filter(({ writes }) => writes)).toEqual([])
  return { code, findings, failures }
}
