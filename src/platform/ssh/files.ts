import { createHash, randomBytes } from 'node:crypto'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findOnPath } from '../exec/find.js'
import { OnceEach } from '../once.js'
import { knownHosts, sshConfig, type HostFacts, type Login, type SshWay } from './config.js'

interface Wanted {
  readonly host: HostFacts
  readonly login: Login
  readonly via: SshWay['via']
  /** Private key for the jump host; the login's own if absent. */
  readonly jumpKey: string | undefined
}

/** What ssh needs of the file system in one life of a run: looked for and written once. */
export class SshFiles {
  readonly #secrets: string
  readonly #path: string
  readonly #placed = new OnceEach<string>()
  #client: string | undefined

  /** `secrets`: private folder of the run, swept only between lives. `path`: PATH on which ssh is looked for. */
  constructor({ secrets, path }: { readonly secrets: string; readonly path: string }) {
    this.#secrets = secrets
    this.#path = path
  }

  /** Where ssh is, or undefined. */
  async client(): Promise<string | undefined> {
    return (this.#client ??= await findOnPath('ssh', this.#path))
  }

  /** Path of the config file for one host and login: its folder bears a digest of what it holds. */
  configFor(wanted: Wanted): Promise<string> {
    const { host, login, via } = wanted
    const digest = createHash('sha256').update(JSON.stringify([host, login, via])).digest('hex').slice(0, 16)
    return this.#placed.get(digest, () => this.#place(join(this.#secrets, `ssh-${digest}`), wanted))
  }

  async #place(folder: string, wanted: Wanted): Promise<string> {
    const known = join(folder, 'known_hosts')
    const config = join(folder, 'config')
    // What cannot be told to ssh is found before anything is written.
    const texts = [knownHosts(wanted.host, wanted.via), sshConfig({ ...wanted, knownHosts: known })] as const
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await place(known, texts[0])
    await place(config, texts[1])
    return config
  }
}

/** Comes into place at once, so that commands side by side never read half of it. */
async function place(path: string, text: string): Promise<void> {
  const partial = `${path}.${randomBytes(4).toString('hex')}`
  await writeFile(partial, text, { mode: 0o600 })
  await rename(partial, path)
}
