import { mkdir, mkdtemp } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { defaultStateDir, StateFolder } from '../journal/index.js'
import type { CommonOptions } from './options.js'
import type { Invocation } from './invocation.js'

/** `--state-dir`, then LIFEBOAT_STATE_DIR, then the XDG state folder. */
export function stateRoot(options: Pick<CommonOptions, 'stateDir'>, { env }: Pick<Invocation, 'env'>): string {
  return options.stateDir ?? defaultStateDir(env, homedir())
}

export function stateFolder(options: Pick<CommonOptions, 'stateDir'>, invocation: Pick<Invocation, 'env'>): StateFolder {
  return new StateFolder(stateRoot(options, invocation))
}

/** What a printed command needs to find the same runs again. */
export function stateFlag({ stateDir }: Pick<CommonOptions, 'stateDir'>): string {
  return stateDir === undefined ? '' : ` --state-dir ${stateDir}`
}

/** A new private folder for the files of one world: its authority, keys and cloud file. */
export async function worldFolder(root: string): Promise<string> {
  const worlds = join(root, 'worlds')
  await mkdir(worlds, { recursive: true, mode: 0o700 })
  return mkdtemp(join(worlds, 'world-'))
}
