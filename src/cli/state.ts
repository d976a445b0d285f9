import { randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir, mkdtemp } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { LifeboatError } from '../contract/index.js'
import { defaultStateDir, StateFolder } from '../journal/index.js'
import type { CommonOptions } from './options.js'
import type { Invocation } from './invocation.js'

/** `--state-dir`, then LIFEBOAT_STATE_DIR, then the XDG state folder. */
export function stateRoot(options: Pick<CommonOptions, 'stateDir'>, { env }: Pick<Invocation, 'env'>): string {
  return options.stateDir ?? defaultStateDir(env, homedir())
}

export function stateFolder(options: Pick<CommonOptions, 'stateDir'>, invocation: Pick<Invocation, 'env' | 'here'>): StateFolder {
  return new StateFolder(stateRoot(options, invocation), invocation.here?.openStore)
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

const keyBytes = 32

/**
 * The key of the digests by which secrets are told apart without being shown; made when the first is asked for. It stays with the
 * state folder: on another machine every digest is another one. Throws `state.key`.
 */
export function digestKey(root: string): () => Buffer {
  let key: Buffer | undefined
  return () => (key ??= readOrMakeKey(root))
}

function readOrMakeKey(root: string): Buffer {
  const path = join(root, 'digest.key')
  try {
    return readKey(path) ?? makeKey(root, path)
  } catch (cause) {
    if (cause instanceof LifeboatError) throw cause
    throw new LifeboatError('state.key', `the key for digests of secrets, ${path}, cannot be read or made`, {
      blame: 'user',
      hint: 'The state folder must be yours to write in; --state-dir names another one.',
      cause,
    })
  }
}

function readKey(path: string): Buffer | undefined {
  let key: Buffer
  try {
    key = readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  if (key.length === keyBytes) return key
  throw new LifeboatError('state.key', `${path} is no key for digests of secrets`, {
    blame: 'user',
    hint: 'Remove it and a new one is made; unfinished runs then ask once more about each secret.',
  })
}

/** Whole or not at all, and never over another's: two commands may need it in the same moment. */
function makeKey(root: string, path: string): Buffer {
  mkdirSync(root, { recursive: true, mode: 0o700 })
  const own = `${path}.${randomBytes(6).toString('hex')}`
  writeFileSync(own, randomBytes(keyBytes), { mode: 0o600, flag: 'wx' })
  try {
    linkSync(own, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(own, { force: true })
  }
  return readKey(path) as Buffer
}
