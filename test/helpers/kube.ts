import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, request as httpsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { KubeCluster, type KubeOptions, type KubeRequest } from '../../src/sim/kube/cluster.js'
import { makeAuthority } from '../../src/sim/pki.js'
import { scaledClock, type VirtualClock } from '../../src/sim/world/clock.js'
import { tempFolder } from './temp-folder.js'

const bin = fileURLToPath(new URL('../../node_modules/.bin/', import.meta.url))

/** How a program ended. */
export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Called {
  readonly status: number
  readonly body: KubeAnswer
}

/** As much of an object, a list or a Status as the tests look at. */
export interface KubeAnswer {
  readonly kind?: string
  readonly reason?: string
  readonly message?: string
  readonly metadata?: { readonly name?: string; readonly resourceVersion?: string; readonly generation?: number }
  readonly items?: readonly KubeAnswer[]
  readonly [field: string]: unknown
}

export interface WatchEvent {
  readonly type: string
  readonly object: KubeAnswer
}

export interface ServedCluster {
  readonly cluster: KubeCluster
  readonly requests: readonly KubeRequest[]
  readonly kubeconfig: string
  readonly origin: string
  /** An empty folder of the test's own. */
  readonly folder: string
  /** The real helm, to its end; nothing of the machine's own configuration. */
  readonly helm: (...args: readonly string[]) => Promise<Ended>
  readonly kubectl: (...args: readonly string[]) => Promise<Ended>
  /** As kubectl, with standard input. */
  readonly kubectlWith: (input: unknown, ...args: readonly string[]) => Promise<Ended>
  /** The real helm, begun. */
  readonly beginHelm: (...args: readonly string[]) => { readonly child: ChildProcess; readonly ended: Promise<Ended> }
  /** A kubeconfig with another token. */
  readonly kubeconfigWith: (token: string) => string
  /** One request with the token; the body is sent as JSON. `body` of the answer is what it holds, parsed if it is JSON. */
  readonly call: (method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>) => Promise<Called>
  /** Begins a watch. `ended` says whether it ended in order or was cut off. */
  readonly watch: (path: string) => { readonly events: readonly WatchEvent[]; readonly ended: Promise<'ended' | 'cut off'> }
  /** Until something holds; looked at after every request of a client, every event of a watch and every change in the cluster. */
  readonly until: (holds: () => boolean) => Promise<void>
}

export const token = 'the-token-of-this-cluster'

interface ServeOptions extends Partial<KubeOptions> {
  /** 60 if absent. */
  readonly speed?: number
  /** Time that stands still until the test lets it pass, instead of the machine's times `speed`. */
  readonly virtual?: VirtualClock
}

/** A cluster of the simulated world behind HTTPS, its time 60 times as fast as the machine's. Gone when the test is. */
export async function servedCluster(options: ServeOptions = {}): Promise<ServedCluster> {
  const { speed = 60, virtual, ...own } = options
  const scaled = scaledClock(Date.parse('2019-02-25T12:40:00-08:00'), speed)
  const clock = virtual ?? scaled
  const requests: KubeRequest[] = []
  const waiting = new Set<() => void>()
  const look = (): void => waiting.forEach((one) => one())
  const cluster = new KubeCluster({
    clock,
    version: '1.33.2',
    token,
    readyAfterMs: () => 30_000,
    canMountNfs: () => true,
    loadBalancer: () => ({ address: '203.0.113.20', afterMs: 10_000 }),
    releaseAddress: () => undefined,
    onRequest: (entry) => {
      requests.push(entry)
      look()
    },
    onChange: look,
    ...own,
  })
  const authority = makeAuthority('test', Date.now())
  const { cert, key } = authority.issue(['127.0.0.1'])
  const server = createServer({ cert, key }, (request, response) => cluster.handle(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  onTestFinished(async () => {
    cluster.stop()
    scaled.stop()
    await new Promise((resolve) => server.close(resolve))
  })

  const folder = tempFolder()
  const home = join(folder, 'home')
  mkdirSync(home)
  const kubeconfigWith = (shown: string): string => {
    const path = join(home, `config-${shown}`)
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server: origin, 'certificate-authority-data': Buffer.from(authority.pem).toString('base64') } }],
      users: [{ name: 'u', user: { token: shown } }],
      contexts: [{ name: 'test', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'test',
    }
    writeFileSync(path, JSON.stringify(config), { mode: 0o600 })
    return path
  }
  const kubeconfig = kubeconfigWith(token)
  const env = {
    HOME: home,
    KUBECONFIG: kubeconfig,
    KUBECACHEDIR: join(home, 'kube'),
    HELM_CACHE_HOME: join(home, 'cache'),
    HELM_CONFIG_HOME: join(home, 'config'),
    HELM_DATA_HOME: join(home, 'data'),
  }
  const run = (program: string, args: readonly string[], input?: string): Promise<Ended> =>
    new Promise((resolve) => {
      const child = execFile(join(bin, program), args, { env, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : (child.exitCode ?? null), stdout, stderr })
      })
      child.stdin?.end(input ?? '')
    })

  return {
    cluster,
    requests,
    kubeconfig,
    origin,
    folder,
    kubeconfigWith,
    helm: (...args) => run('helm', args),
    kubectl: (...args) => run('kubectl', args),
    kubectlWith: (input, ...args) => run('kubectl', args, typeof input === 'string' ? input : JSON.stringify(input)),
    beginHelm(...args) {
      const child = spawn(join(bin, 'helm'), args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
      let stdout = ''
      let stderr = ''
      child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
      child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
      const ended = new Promise<Ended>((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })))
      return { child, ended }
    },
    call: (method, path, body, headers = {}) =>
      new Promise((resolve, reject) => {
        const type = method === 'PATCH' ? 'application/strategic-merge-patch+json' : 'application/json'
        const sent = httpsRequest(
          `${origin}${path}`,
          { method, ca: authority.pem, agent: false, headers: { authorization: `Bearer ${token}`, 'content-type': type, ...headers } },
          (response) => {
            const chunks: Buffer[] = []
            response.on('data', (chunk: Buffer) => chunks.push(chunk))
            response.once('error', reject)
            response.once('end', () => {
              const text = Buffer.concat(chunks).toString()
              const json = response.headers['content-type']?.includes('json') === true && !path.includes('watch=')
              resolve({ status: response.statusCode ?? 0, body: (json ? JSON.parse(text) : { message: text }) as KubeAnswer })
            })
          },
        )
        sent.once('error', reject)
        sent.end(body === undefined ? undefined : JSON.stringify(body))
      }),
    watch(path) {
      const events: WatchEvent[] = []
      const ended = new Promise<'ended' | 'cut off'>((resolve) => {
        const sent = httpsRequest(`${origin}${path}`, { ca: authority.pem, agent: false, headers: { authorization: `Bearer ${token}` } })
        sent.once('error', () => resolve('cut off'))
        sent.once('response', (response) => {
          let rest = ''
          response.on('data', (chunk: Buffer) => {
            const lines = (rest + chunk.toString()).split('\n')
            rest = lines.pop() ?? ''
            events.push(...lines.map((line) => JSON.parse(line) as WatchEvent))
            look()
          })
          response.once('error', () => resolve('cut off'))
          response.once('end', () => resolve('ended'))
        })
        sent.end()
      })
      return { events, ended }
    },
    until: (holds) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (!holds()) return
          waiting.delete(check)
          resolve()
        }
        waiting.add(check)
        check()
      }),
  }
}

/** Writes a chart; `templates` by file name. Returns its folder. */
export function writeChart(folder: string, name: string, templates: Readonly<Record<string, string>>, values = ''): string {
  const root = join(folder, name)
  mkdirSync(join(root, 'templates'), { recursive: true })
  writeFileSync(join(root, 'Chart.yaml'), `apiVersion: v2\nname: ${name}\nversion: 0.1.0\n`)
  writeFileSync(join(root, 'values.yaml'), values)
  for (const [file, text] of Object.entries(templates)) {
    const path = join(root, 'templates', file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  return root
}

interface WebDeployment {
  /** As it stands in the chart: it may be an expression of helm. */
  readonly image?: string
  /** More of its metadata, in flow style. */
  readonly metadata?: string
  /** More lines of its spec, with their indentation. */
  readonly spec?: string
}

/** A template of a chart: one deployment, named `web`. */
export function webDeployment({ image = 'web', metadata = '', spec = '' }: WebDeployment = {}): string {
  return `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web${metadata === '' ? '' : `, ${metadata}`} }
spec:
  selector: { matchLabels: { app: web } }
${spec}
  template:
    metadata: { labels: { app: web } }
    spec:
      containers: [{ name: web, image: ${image} }]
`
}

/** An image whose tag is the release's value `version`. */
export const versionedImage = '"web:{{ .Values.version | default 1 }}"'

/** A template of a chart: the volume of a hub's homes on the NFS server that is the release's value `server`. */
export const homesVolume = `
apiVersion: v1
kind: PersistentVolume
metadata: { name: homes }
spec:
  accessModes: [ReadWriteMany]
  capacity: { storage: 1Gi }
  storageClassName: ""
  nfs: { server: {{ .Values.server }}, path: /pool0/homes }
`

const homesClaim = `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: homes }
spec: { accessModes: [ReadWriteMany], storageClassName: "", volumeName: homes, resources: { requests: { storage: 1Gi } } }
`

/** Templates of a chart: a deployment, `web`, with more lines of its spec, whose pods want the homes of `homesVolume`. */
export function webWithHomes(spec = ''): Record<string, string> {
  const homes = '      volumes: [{ name: homes, persistentVolumeClaim: { claimName: homes } }]\n'
  const web = webDeployment({ spec }).replace('name: web,', 'name: web, volumeMounts: [{ name: homes, mountPath: /home }],') + homes
  return { 'homes.yaml': homesVolume, 'claim.yaml': homesClaim, 'web.yaml': web }
}
