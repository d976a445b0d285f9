import { randomBytes } from 'node:crypto'
import { constants, existsSync, linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { access, mkdir, mkdtemp } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { LifeboatError } from '../contract/index.js'
import { defaultStateDir, StateFolder } from '../journal/index.js'
import type { CommonOptions } from './options.js'
import type { Invocation } from './invocation.js'

/** `--state-dir`, then LIFEBOAT_STATE_DIR, then the XDG state folder. */
export function stateRoot(options: Pick<CommonOptions, 'stateDir'>, { env }: Pick<Invocation, 'env'>): string {
  return options.stateDir ?? defaultStateDir(env, homedir())
}

export function stateFolder(options: Pick<CommonOptions, 'stateDir'>, invocation: Pick<Invocation, 'env' | 'here'>): StateFolder {
  return new StateFolder(stateRoot(options, invocation), invocation.here?.openStore, commandLine(options, 'runs'))
}

/** The same for a command that will write there. Throws `state.unusable`, before anything is read or locked. */
export async function writableStateFolder(options: Pick<CommonOptions, 'stateDir'>, invocation: Pick<Invocation, 'env' | 'here'>): Promise<StateFolder> {
  const root = resolve(stateRoot(options, invocation))
  try {
    makeFolder(root)
    await access(root, constants.W_OK | constants.X_OK)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new LifeboatError('state.unusable', `the state folder ${root} cannot be made or written to (${code ?? 'unknown error'})`, {
      blame: 'user',
      hint: 'Nothing was read or changed. Make that place writable, or choose another with --state-dir.',
      cause,
    })
  }
  return stateFolder(options, invocation)
}

/** A command of ours, to be copied as it is: it finds the same runs again. */
export function commandLine({ stateDir }: Pick<CommonOptions, 'stateDir'>, ...words: readonly string[]): string {
  const place = stateDir === undefined ? [] : ['--state-dir', stateDir]
  return ['lifeboat', ...words, ...place].map(shellWord).join(' ')
}

/** For a command that looks at runs. */
export function noRuns(options: Pick<CommonOptions, 'stateDir'>): LifeboatError {
  const hint = `Runs of another folder need --state-dir. To begin with one: ${commandLine(options, 'rehearse', 'RUNBOOK')}`
  return new LifeboatError('run.none', 'there are no runs here yet', { blame: 'user', hint })
}

function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

/** With all that lead to it. Node's own `recursive` tries for ever where a system says ENOENT of a folder that is there (/proc). */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && statSync(path).isDirectory()) return
    const above = dirname(path)
    if (code !== 'ENOENT' || existsSync(above)) throw error
    makeFolder(above)
    makeFolder(path)
  }
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
  makeFolder(resolve(root))
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
