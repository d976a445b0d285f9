import { gunzipSync, gzipSync } from 'node:zlib'
import type { KubeObject } from '../../../sim/kube/cluster.js'
import type { KubeClient } from '../kube-client.js'
import type { Hook, Manifest } from './render.js'

export type Status =
  | 'deployed' | 'failed' | 'superseded' | 'uninstalling' | 'pending-install' | 'pending-upgrade' | 'pending-rollback'

export interface ChartMetadata {
  readonly apiVersion: string
  readonly name: string
  readonly version: string
  readonly appVersion?: string
}

/** A revision of a release, as helm keeps it in a secret: the fields that somebody reads. */
export interface Release {
  readonly name: string
  readonly namespace: string
  readonly version: number
  readonly info: {
    readonly first_deployed: string
    readonly last_deployed: string
    /** When its uninstallation began. */
    readonly deleted?: string
    readonly description: string
    readonly status: Status
  }
  readonly chart: { readonly metadata: ChartMetadata }
  readonly config: Readonly<Record<string, unknown>>
  readonly manifest: string
  readonly hooks: readonly StoredHook[]
  readonly apply_method: 'ssa'
}

export interface StoredHook {
  readonly name: string
  readonly kind: string
  readonly path: string
  readonly manifest: string
  readonly events: readonly string[]
  readonly weight?: number
  readonly delete_policies?: readonly string[]
}

/** At most so many revisions are kept (`--history-max`). */
const kept = 10

export function isPending({ info: { status } }: Release): boolean {
  return status.startsWith('pending-')
}

/** A revision with another status, and another description where one is given. */
export function become(release: Release, status: Status, description = release.info.description): Release {
  return { ...release, info: { ...release.info, status, description } }
}

/** The secrets in which helm keeps a release, in its namespace. */
export class Releases {
  readonly #client: KubeClient
  readonly #namespace: string

  constructor(client: KubeClient, namespace: string) {
    this.#client = client
    this.#namespace = namespace
  }

  /** Every revision, oldest first. */
  async history(name: string): Promise<readonly Release[]> {
    const secrets = await this.#client.list(`${this.#url}?labelSelector=name%3D${name}%2Cowner%3Dhelm`)
    return secrets.map(releaseOf).sort((one, other) => one.version - other.version)
  }

  /** Those of more than is kept go first, the oldest of them; never the one that is deployed. */
  async create(release: Release, before: readonly Release[]): Promise<void> {
    const deployed = before.findLast(({ info }) => info.status === 'deployed')
    const old = before.filter((one) => one !== deployed).slice(0, Math.max(0, before.length + 1 - kept))
    await this.#client.send('POST', this.#url, secretOf(release, this.#client.nowSeconds))
    for (const one of old) await this.remove(one)
  }

  async update(release: Release): Promise<void> {
    await this.#client.send('PUT', `${this.#url}/${secretName(release)}`, secretOf(release, this.#client.nowSeconds))
  }

  async remove(release: Release): Promise<void> {
    await this.#client.send('DELETE', `${this.#url}/${secretName(release)}`)
  }

  get #url(): string {
    return `/api/v1/namespaces/${this.#namespace}/secrets`
  }
}

function secretName({ name, version }: Release): string {
  return `sh.helm.release.v1.${name}.v${version}`
}

function secretOf(release: Release, seconds: number): object {
  const { name, namespace, version, info } = release
  const text = gzipSync(JSON.stringify(release), { level: 1 }).toString('base64')
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: secretName(release),
      namespace,
      labels: { modifiedAt: String(seconds), name, owner: 'helm', status: info.status, version: String(version) },
    },
    data: { release: Buffer.from(text).toString('base64') },
    type: 'helm.sh/release.v1',
  }
}

function releaseOf(secret: KubeObject): Release {
  const { release = '' } = secret['data'] as { release?: string }
  const text = Buffer.from(Buffer.from(release, 'base64').toString('utf8'), 'base64')
  return JSON.parse(gunzipSync(text).toString('utf8')) as Release
}

export function manifestOf(manifests: readonly Manifest[]): string {
  return manifests.map(({ text }) => `---\n${text}\n`).join('')
}

export function storedHook({ text, object, events, weight, deletePolicies }: Hook): StoredHook {
  const path = /^# Source: (.*)$/m.exec(text)?.[1] ?? ''
  return { name: object.metadata.name, kind: object.kind, path, manifest: text, events, weight, delete_policies: deletePolicies }
}
