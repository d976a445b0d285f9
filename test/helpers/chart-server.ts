import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { makeAuthority } from '../../src/sim/pki.js'
import { root } from './cli.js'
import { tempFolder } from './temp-folder.js'

const manifestType = 'application/vnd.oci.image.manifest.v1+json'

/** Packages a chart's folder with the real helm; answers with the archive's path. */
export function packaged(chart: string): string {
  const folder = tempFolder()
  const args = ['package', chart, '-d', folder]
  const said = execFileSync(join(root, 'node_modules/.bin/helm'), args, { encoding: 'utf8', env: { HOME: folder } })
  return said.trim().split(': ').at(-1) ?? ''
}

/**
 * A place that charts are pulled from, as both kinds: an HTTP repository (`/charts/index.yaml`) and an OCI registry (`/v2/…`,
 * the reading half of the distribution specification). By HTTPS with an authority of its own; gone when the test is.
 */
export async function chartServer(login?: { readonly username: string; readonly password: string }) {
  const authority = makeAuthority('charts', Date.now())
  const ca = join(tempFolder(), 'ca.pem')
  writeFileSync(ca, authority.pem)
  const charts = new Map<string, Buffer>()
  const requests: string[] = []
  const wanted = login === undefined ? undefined : `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`
  let origin = ''
  const server = createServer(authority.issue(['localhost']), (request, response) => {
    requests.push(`${request.method ?? ''} ${request.url ?? ''}`)
    if (wanted !== undefined && request.headers.authorization !== wanted) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="charts"' }).end()
    } else if (request.url?.startsWith('/v2/') === true) {
      registry(request, response, charts)
    } else {
      repository(request, response, charts, origin)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const host = `localhost:${(server.address() as AddressInfo).port}`
  origin = `https://${host}`
  const stop = (): void => {
    server.closeAllConnections()
    server.close()
  }
  onTestFinished(stop)
  return {
    ca,
    host,
    requests,
    repo: `${origin}/charts`,
    oci: (name: string) => `oci://${host}/charts/${name}`,
    /** Puts a packaged chart there, over what has its name and version. */
    offer: (name: string, version: string, archive: string) => void charts.set(`${name}-${version}`, readFileSync(archive)),
    stop,
  }
}

type Charts = ReadonlyMap<string, Buffer>

function repository({ url }: IncomingMessage, response: ServerResponse, charts: Charts, origin: string): void {
  if (url === '/charts/index.yaml') {
    const entries: Record<string, object[]> = {}
    for (const [id, bytes] of charts) {
      const [, name = '', version = ''] = /^(.+?)-(\d.*)$/.exec(id) ?? []
      const entry = { apiVersion: 'v2', name, version, urls: [`${origin}/charts/${id}.tgz`], digest: digestOf(bytes).slice('sha256:'.length) }
      entries[name] = [...(entries[name] ?? []), entry]
    }
    response.end(JSON.stringify({ apiVersion: 'v1', entries }))
    return
  }
  give(response, charts.get(/^\/charts\/(.+)\.tgz$/.exec(url ?? '')?.[1] ?? ''), 'application/gzip')
}

function registry({ url = '' }: IncomingMessage, response: ServerResponse, charts: Charts): void {
  if (url === '/v2/') return void response.end('{}')
  const [, name = '', what = '', reference = ''] = /^\/v2\/charts\/([^/]+)\/(manifests|blobs|tags)\/(.+)$/.exec(url) ?? []
  const mine = [...charts].filter(([id]) => id.startsWith(`${name}-`))
  if (what === 'tags') {
    give(response, json({ name: `charts/${name}`, tags: mine.map(([id]) => id.slice(name.length + 1)) }), 'application/json')
    return
  }
  const blobs = mine.flatMap(([id, bytes]) => {
    const version = id.slice(name.length + 1)
    const config = json({ apiVersion: 'v2', name, version })
    const layers = [{ mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip', digest: digestOf(bytes), size: bytes.length }]
    const configOf = { mediaType: 'application/vnd.cncf.helm.config.v1+json', digest: digestOf(config), size: config.length }
    const manifest = json({ schemaVersion: 2, mediaType: manifestType, config: configOf, layers })
    return [{ version, manifest, blobs: [bytes, config] }]
  })
  const found =
    what === 'manifests'
      ? blobs.find(({ version, manifest }) => version === reference || digestOf(manifest) === reference)?.manifest
      : blobs.flatMap((one) => one.blobs).find((bytes) => digestOf(bytes) === reference)
  give(response, found, what === 'manifests' ? manifestType : 'application/octet-stream')
}

function give(response: ServerResponse, bytes: Buffer | undefined, type: string): void {
  if (bytes === undefined) return void response.writeHead(404, { 'content-type': 'application/json' }).end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"unknown"}]}')
  response.writeHead(200, { 'content-type': type, 'content-length': bytes.length, 'docker-content-digest': digestOf(bytes) }).end(bytes)
}

const json = (value: object): Buffer => Buffer.from(JSON.stringify(value))
const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
