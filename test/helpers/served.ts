import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { serveWorld } from '../../src/sim/serve.js'
import { root, temporaryFolder } from './cli.js'

export type Served = Awaited<ReturnType<typeof serveWorld>>

/** A world over real protocols in this process, fast: a minute of the world is half a second at the default speed. */
export async function served(
  worldFile = join(root, 'fixtures/worlds/data100.yaml'),
  speed = 120,
): Promise<Served & AsyncDisposable> {
  const world = await serveWorld({ world: worldFile, speed, stateDir: temporaryFolder() })
  return { ...world, [Symbol.asyncDispose]: () => world.stop() }
}

export interface WorldState {
  clusters: { id: string; provisioningState: string }[]
  vms: { id: string; powerState: string; dataDisks: { id: string; lun: number }[] }[]
  disks: { id: string; diskState: string; managedBy: string | null; moves: number }[]
  snapshots: { id: string; of: string; torn: boolean }[]
  recordSets: { zone: string; name: string; type: string; ttl: number; values: string[] }[]
  releases: { cluster: string; namespace: string; name: string; revision: number; status: string }[]
  pools: { guid: string; name: string; importedOn: string[] }[]
  hubs: { host: string; address: string; answers: boolean }[]
  operations: { what: string; resource: string; startedAt: string; durationMs: number }[]
  violations: string[]
}

/** Asks the world's control address, as anybody from outside would. */
export async function worldState(world: Served): Promise<WorldState> {
  return JSON.parse(await control(world, 'state')) as WorldState
}

/** Resolves once the world is so: what a process does is seen there, not in what it says it is about to do. */
export async function worldWhere(world: Served, isSo: (state: WorldState) => boolean): Promise<void> {
  while (!isSo(await worldState(world))) await setTimeout(50)
}

/** Helm is at work on a release: it has written its record, and waits for pods. */
export function isInstalling(name: string): (state: WorldState) => boolean {
  return ({ releases }) => releases.some((release) => release.name === name && release.status === 'pending-install')
}

/**
 * Resolves once helm waits for the pods of a namespace (after so many requests of all). Between writing its record and this it still
 * reads its kubeconfig, and ends by itself where that is gone.
 */
export async function helmWaitsIn(world: Served, namespace: string, after = 0): Promise<void> {
  const looking = `/namespaces/${namespace}/pods`
  while (!(await worldRequests(world)).slice(after).some(({ door, path }) => door === 'kube' && path.endsWith(looking))) await setTimeout(50)
}

export interface RequestEntry {
  door: string
  method: string
  path: string
  status: number
  writes: boolean
}

export async function worldRequests(world: Served): Promise<RequestEntry[]> {
  const lines = (await control(world, 'requests')).split('\n').filter((line) => line !== '')
  return lines.map((line) => JSON.parse(line) as RequestEntry)
}

/** Plants a fault, as anybody from outside would: see src/sim/control/control.ts. */
export async function plant(world: Served, fault: object): Promise<void> {
  const answer = JSON.parse(await control(world, 'faults', JSON.stringify(fault))) as { planted?: boolean }
  if (answer.planted !== true) throw new Error(`that is no fault: ${JSON.stringify(answer)}`)
}

async function control(world: Served, path: string, body?: string): Promise<string> {
  const { request } = await import('node:https')
  const ca = readFileSync(world.caPath, 'utf8')
  return new Promise((resolve, reject) => {
    request(`${world.control}/${path}`, { ca, method: body === undefined ? 'GET' : 'POST' }, (answer) => {
      let said = ''
      answer.setEncoding('utf8').on('data', (part: string) => (said += part))
      answer.on('end', () => resolve(said))
    })
      .on('error', reject)
      .end(body)
  })
}
