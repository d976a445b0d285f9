import { readArgs, type Args } from '../args.js'
import { KubeClient, type ClusterAt } from '../kube-client.js'
import { ended, failed, type Program, type ProgramEnd, type Surroundings } from '../program.js'
import { HelmFailure } from './objects.js'
import { durationMs, reach, sayFailure, type Operation } from './operation.js'
import { Releases, type Release } from './releases.js'
import type { Renderer } from './render.js'
import { rollback } from './rollback.js'
import { uninstall } from './uninstall.js'
import { upgradeOrInstall } from './upgrade.js'
import { valueFlags } from './values.js'

export interface HelmSurroundings {
  readonly clusterAt: ClusterAt
  /** May be shared by many worlds: what a chart renders to depends on the chart and its values. */
  readonly renderer: Renderer
  /** How many of the world's seconds pass in one of the machine's, of which `--timeout` speaks; 1 if absent. */
  readonly speed?: number
}

const version = 'v4.1.4'

const withValue: ReadonlySet<string> = new Set([
  '-n', '-o', '--kubeconfig', '--kube-context', '--kube-version', '--values', '--set', '--description', '--timeout', '--template', '--version', '-d',
  '--repository-config', '--registry-config', '--ca-file',
])

/** helm 4, as far as its door uses it. Charts are rendered by the real one; all else is played. */
export function helmModel(around: HelmSurroundings): Program {
  return async (given, at) => {
    const args = readArgs(given, withValue)
    try {
      return await verbOf(around, args, at)
    } catch (error) {
      return failed(1, `Error: ${sayFailure(error)}`)
    }
  }
}

async function verbOf(around: HelmSurroundings, args: Args, at: Surroundings): Promise<ProgramEnd> {
  const [verb = '', name = ''] = args.words
  switch (verb) {
    case 'version':
      return ended(version)
    case 'template':
      return template(around, args, at)
    case 'pull':
    case 'repo':
      throw new HelmFailure('this world has no registry: dial tcp: lookup registry: no such host')
    case 'history':
      return history(operationFor(around, args, at, name))
    case 'get':
      return values(operationFor(around, args, at, args.words[2] ?? ''))
    case 'status':
      return status(operationFor(around, args, at, name))
    case 'upgrade':
      return upgradeOrInstall(operationFor(around, args, at, name))
    case 'rollback':
      return rollback(operationFor(around, args, at, name))
    case 'uninstall':
      return uninstall(operationFor(around, args, at, name))
    default:
      throw new HelmFailure(`unknown command "${verb}" for "helm" (as far as the model knows)`)
  }
}

function operationFor({ clusterAt, renderer, speed = 1 }: HelmSurroundings, args: Args, at: Surroundings, name: string): Operation {
  const namespace = args.value('-n') ?? 'default'
  const client = KubeClient.open(at, clusterAt, args.value('--kubeconfig') ?? at.env['KUBECONFIG'] ?? '', 'Helm/4.1.4')
  const waiting = { client, at, namespace, timeoutMs: durationMs(args.value('--timeout')) * speed }
  return { args, at, client, renderer, name, namespace, releases: new Releases(client, namespace), waiting }
}

function template({ renderer }: HelmSurroundings, args: Args, at: Surroundings): ProgramEnd {
  const [, name = '', chart = ''] = args.words
  const kubeVersion = args.value('--kube-version')
  const flags = kubeVersion === undefined ? [] : ['--kube-version', kubeVersion]
  return renderer.template({ chart, name, namespace: args.value('-n') ?? 'default', values: valueFlags(args), flags }, at.env)
}

async function revisions({ client, releases, name }: Operation): Promise<readonly [Release, ...Release[]]> {
  await reach(client)
  const [first, ...others] = await releases.history(name)
  if (first === undefined) throw new HelmFailure('release: not found')
  return [first, ...others]
}

async function history(operation: Operation): Promise<ProgramEnd> {
  const lines = (await revisions(operation)).map(({ version: revision, info, chart: { metadata } }) => ({
    revision,
    updated: info.last_deployed,
    status: info.status,
    chart: `${metadata.name}-${metadata.version}`,
    app_version: metadata.appVersion ?? '',
    description: info.description,
  }))
  return ended(`${JSON.stringify(lines)}\n`)
}

async function values(operation: Operation): Promise<ProgramEnd> {
  const { config } = (await revisions(operation)).at(-1) ?? { config: {} }
  return ended(`${JSON.stringify(Object.keys(config).length === 0 ? null : config)}\n`)
}

async function status(operation: Operation): Promise<ProgramEnd> {
  const last = (await revisions(operation)).at(-1)
  return ended(`${JSON.stringify({ name: operation.name, info: last?.info, version: last?.version, namespace: operation.namespace })}\n`)
}
