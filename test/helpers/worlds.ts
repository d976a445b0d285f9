import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import type { WorldSpec } from '../../src/sim/world/spec.js'
import { root, temporaryFolder } from './cli.js'

/** A world file as it is written: durations as `20m`, nothing defaulted. */
export type WorldFile = Omit<WorldSpec, 'durations' | 'podsReady' | 'clockAhead' | 'tokenLifetime' | 'quota'> & {
  durations: Record<string, string>
  podsReady?: Record<string, string>
  clockAhead?: string
  tokenLifetime?: string
  quota?: Record<string, number>
}

/** The world of data100 (or another one) changed by `edit`, as a temporary file; answers with its path. */
export function worldFile(edit: (world: WorldFile) => void, of = join(root, 'fixtures/worlds/data100.yaml')): string {
  // Whole numbers of pools are in quotes there and must stay texts.
  const world = parse(readFileSync(of, 'utf8')) as WorldFile
  edit(world)
  const path = join(temporaryFolder(), 'world.yaml')
  writeFileSync(path, stringify(world))
  return path
}

/**
 * The world of data100 (or another one) with a cluster and pods that come soon, for tests that are not about waiting for them: the
 * order of the steps is the same. Only this is shortened, no deadline and nothing of the storage.
 */
export function quickWorld(edit: (world: WorldFile) => void = () => undefined, of?: string): string {
  return worldFile((world) => {
    world.durations['cluster create'] = '4m'
    world.podsReady = Object.fromEntries(Object.keys(world.podsReady ?? {}).map((namespace) => [namespace, '2m']))
    edit(world)
  }, of)
}

/** The world in which nothing can be moved out of the old group, with a cluster and pods that come soon. Answers with its path. */
export function failedNicWorld(): string {
  const path = join(temporaryFolder(), 'world.yaml')
  const podsReady = { 'data100-staging': '2m', 'data100-prod': '2m' }
  const quick = { extends: join(root, 'fixtures/worlds/data100-failed-nic.yaml'), durations: { 'cluster create': '4m' }, podsReady }
  writeFileSync(path, JSON.stringify(quick))
  return path
}

/** The cloud file of a served world changed by `edit`, beside the files that it refers to. */
export function cloudFile(of: string, edit: (cloud: CloudFile) => void): string {
  const cloud = readCloud(of)
  edit(cloud)
  const path = `${of}.changed.json`
  writeFileSync(path, JSON.stringify(cloud), { mode: 0o600 })
  return path
}

export function readCloud(path: string): CloudFile {
  return JSON.parse(readFileSync(path, 'utf8')) as CloudFile
}

export interface CloudFile {
  env: Record<string, string>
  reach: {
    httpsProxy?: string
    nameServers: Record<string, string>
    ssh: { network: string; via: { jump: { host: string; port: number; user: string; hostKey: string } } }[]
  }
  clock: { real: string; world: string; rate: number }
}
