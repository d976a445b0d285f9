import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import type { KubeCluster, KubeObject, Stream } from '../../sim/kube/cluster.js'
import { kindNamed, type Kind } from '../../sim/kube/kinds.js'
import type { Surroundings } from './program.js'

/** The API at a host name, if one answers there. */
export type ClusterAt = (host: string) => KubeCluster | undefined

/** A request that came to nobody, or whose connection was cut off, in the words of Go's client. */
export class Unreachable extends Error {}

/** A refusal of the API server; its message is the server's own. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly reason: string,
    message: string,
  ) {
    super(message)
  }
}

/** Milliseconds of the world between a request and its answer, half of it each way. */
const legMs = 6
/** Until a watch that was cut off is asked for again. */
const retryMs = 1000

interface Config {
  readonly server: string
  readonly token: string
}

/** Looked at once each: parsing YAML costs more than all that is asked with it. */
const configs = new Map<string, Config>()

function configOf(text: string): Config {
  const known = configs.get(text)
  if (known !== undefined) return known
  const read = parse(text) as { clusters: { cluster: { server: string } }[]; users?: { user?: { token?: string } }[] }
  const config = { server: (read.clusters[0]?.cluster.server ?? '').replace(/:443$/, ':443'), token: read.users?.[0]?.user?.token ?? '' }
  if (configs.size > 100) configs.clear()
  configs.set(text, config)
  return config
}

/** What a kubeconfig's client asks a cluster of the world, each request taking its time. */
export class KubeClient {
  readonly #at: Surroundings
  readonly #clusterAt: ClusterAt
  readonly #config: Config
  readonly #agent: string

  private constructor(at: Surroundings, clusterAt: ClusterAt, config: Config, agent: string) {
    this.#at = at
    this.#clusterAt = clusterAt
    this.#config = config
    this.#agent = agent
  }

  /** Throws what reading the file throws. */
  static open(at: Surroundings, clusterAt: ClusterAt, kubeconfig: string, agent: string): KubeClient {
    return new KubeClient(at, clusterAt, configOf(readFileSync(kubeconfig, 'utf8')), agent)
  }

  /** Of the Unix epoch, in the world's time. */
  get nowSeconds(): number {
    return Math.floor(this.#at.now().getTime() / 1000)
  }

  /** The answer's body, which is the cluster's own and not to be changed. Throws Refused and Unreachable. */
  async send(method: string, url: string, body?: Buffer | object, contentType = 'application/json'): Promise<unknown> {
    await this.#at.sleep(legMs)
    const headers = { authorization: `Bearer ${this.#config.token}`, 'content-type': contentType, accept: 'application/json', 'user-agent': this.#agent }
    const bytes = body === undefined ? Buffer.alloc(0) : Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body))
    const outcome = this.#cluster()?.call({ method, url, headers, body: bytes, sender: this.#at.sender })
    await this.#at.sleep(legMs)
    if (outcome === undefined) throw new Unreachable(`${verb(method)} "${this.#config.server}${url}": Gateway Timeout`)
    if ('stream' in outcome) throw new Refused(500, 'InternalError', 'a watch is not asked for in this way')
    if (outcome.status < 400) return outcome.body
    const { message = '', reason = '' } = outcome.body as { message?: string; reason?: string }
    throw new Refused(outcome.status, reason, outcome.status === 401 ? noCredentials : message)
  }

  /** The object, or undefined if there is none. */
  async find(url: string): Promise<KubeObject | undefined> {
    try {
      return (await this.send('GET', url)) as KubeObject
    } catch (error) {
      if (error instanceof Refused && error.status === 404) return undefined
      throw error
    }
  }

  async list(url: string): Promise<readonly KubeObject[]> {
    return ((await this.send('GET', url)) as { items: readonly KubeObject[] }).items
  }

  /**
   * Is told of every object there is and of every change, until it ends that. Where the server cuts it off it asks again every second, as
   * Go's client was seen to do, and learns what has changed meanwhile. What a server refuses is not asked again.
   */
  watch(url: string, event: (type: string, object: KubeObject) => void): () => void {
    let known = new Map<string, KubeObject>()
    let isOver = false
    let stop = (): void => undefined
    const end = (): void => {
      isOver = true
      stop()
    }
    const again = (): void => {
      stop = this.#at.after(retryMs, begin)
    }
    const begin = (): void => {
      const stream = this.#streamOf(url)
      if (stream === 'refused') return
      if (stream === undefined) return again()
      const before = known
      known = new Map()
      const send = (type: string, object: unknown): void => {
        if (!this.#at.alive()) end()
        if (isOver || type === 'ERROR') return
        // There is one bookmark, when everything that is there has been told.
        const gone = type === 'BOOKMARK' ? [...before].filter(([name]) => !known.has(name)) : []
        for (const [, one] of gone) event('DELETED', one)
        if (type === 'BOOKMARK') return
        const { namespace = '', name } = (object as KubeObject).metadata
        if (type === 'DELETED') known.delete(`${namespace}/${name}`)
        else known.set(`${namespace}/${name}`, object as KubeObject)
        event(type, object as KubeObject)
      }
      stop = stream({ send, end: () => undefined, cut: again })
      // What was told at its beginning may have been all that was waited for.
      if (isOver) stop()
    }
    begin()
    return end
  }

  /** What a watch is told; undefined if nobody answers. */
  #streamOf(url: string): Stream | 'refused' | undefined {
    const query = `${url.includes('?') ? '&' : '?'}watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan`
    const headers = { authorization: `Bearer ${this.#config.token}`, 'user-agent': this.#agent }
    const outcome = this.#cluster()?.call({ method: 'GET', url: url + query, headers, body: Buffer.alloc(0), sender: this.#at.sender })
    return outcome === undefined || 'stream' in outcome ? outcome?.stream : 'refused'
  }

  #cluster(): KubeCluster | undefined {
    return this.#clusterAt(new URL(this.#config.server).hostname)
  }
}

export const noCredentials = 'the server has asked for the client to provide credentials'

function verb(method: string): string {
  return `${method.slice(0, 1)}${method.slice(1).toLowerCase()}`
}

/** Where the objects of a kind are: `/apis/apps/v1/namespaces/x/deployments`. */
export function urlOfKind({ apiVersion, plural, namespaced }: Kind, namespace: string): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  return namespaced ? `${root}/namespaces/${namespace}/${plural}` : `${root}/${plural}`
}

/** Where an object is; `namespace` is the release's, if it names none itself. Undefined for a kind that no cluster has. */
export function urlOf(object: KubeObject, namespace: string): string | undefined {
  const kind = kindNamed(object.apiVersion, object.kind)
  return kind && `${urlOfKind(kind, object.metadata.namespace ?? namespace)}/${object.metadata.name}`
}
