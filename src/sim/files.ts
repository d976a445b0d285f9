import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Reach } from './rooms.js'
import type { World } from './world/world.js'

/** Paths of what a cloud file refers to. */
export interface WorldFiles {
  readonly ca: string
  readonly secret: string
  readonly env: Readonly<Record<string, string>>
}

/** The authority's certificate, the client's secret, the private halves of the world's SSH keys, and folders of the site's own. */
export async function writeFiles(stateDir: string, world: World, ca: string, secret: string): Promise<WorldFiles> {
  const caPath = join(stateDir, 'ca.pem')
  const secretPath = join(stateDir, 'client-secret')
  await writePrivate(caPath, ca)
  await writePrivate(secretPath, secret)
  const env: Record<string, string> = {}
  for (const [name, value] of Object.entries(world.spec.env)) {
    const path = join(stateDir, name.toLowerCase().replace(/[^a-z0-9]+/g, '-'))
    if (typeof value === 'string') {
      env[name] = value
    } else if ('sshKey' in value) {
      env[name] = `${path}.key`
      await writePrivate(`${path}.key`, world.keys.get(name)?.private ?? '')
    } else {
      env[name] = path
      await makeFolder(path, value.folder)
    }
  }
  return { ca: caPath, secret: secretPath, env }
}

/** As the world file has it: every world starts from there, whatever an earlier one left. */
async function makeFolder(path: string, files: Readonly<Record<string, string>>): Promise<void> {
  await rm(path, { recursive: true, force: true })
  await mkdir(path, { mode: 0o700 })
  for (const [name, text] of Object.entries(files)) await writePrivate(join(path, name), text)
}

export async function writePrivate(path: string, text: string): Promise<void> {
  await rm(path, { force: true })
  await writeFile(path, text, { mode: 0o600 })
}

/** When world and machine are compared, in Unix milliseconds, and how many times as fast the world's time goes. */
export interface ComparedClocks {
  readonly realMs: number
  readonly worldMs: number
  readonly rate: number
}

export interface CloudFileParts {
  /** Of the resource manager and the login. */
  readonly origin: string
  readonly clientId: string
  readonly files: WorldFiles
  readonly reach: Reach
  readonly clocks: ComparedClocks
}

/** The cloud file: all that a client needs, the same as for any other cloud. Resolves with its path. */
export async function writeCloudFile(stateDir: string, { spec }: World, parts: CloudFileParts): Promise<string> {
  const { origin, clientId, files, reach, clocks } = parts
  const path = join(stateDir, 'cloud.json')
  const cloud = {
    name: `world-${spec.name}`,
    resourceManager: origin,
    authority: origin,
    tenant: spec.tenant,
    instanceDiscovery: false,
    certificateAuthority: files.ca,
    credential: { kind: 'client-secret', clientId, secret: { file: files.secret } },
    env: files.env,
    reach,
    clock: { real: new Date(clocks.realMs).toISOString(), world: new Date(clocks.worldMs).toISOString(), rate: clocks.rate },
    pollEveryMs: 10_000,
  }
  await writePrivate(path, `${JSON.stringify(cloud, null, 2)}\n`)
  return path
}
