import type { JsonObject, ReadContext, Secret } from '../../contract/index.js'
import { chartLabel } from '../../platform/helm/charts.js'
import type { ReleaseChart, ReleaseName, RemoteChart } from '../../platform/helm/door.js'
import { valueAt } from '../../platform/helm/set-path.js'
import type { Platform } from '../../platform/platform.js'
import type { ReleaseInputs } from './release-inputs.js'

type Context = Pick<ReadContext<Platform>, 'doors' | 'secret'>
export type ChartInputs = Pick<ReleaseInputs, 'chart' | 'valuesFiles' | 'values' | 'set' | 'secrets'>

export function nameOf({ cluster, namespace, release }: Pick<ReleaseInputs, 'cluster' | 'namespace' | 'release'>): ReleaseName {
  return { cluster, namespace, name: release }
}

/** The chart and what it is given, with the secrets read. */
export async function chartOf(wanted: ChartInputs, ctx: Pick<Context, 'secret'>): Promise<ReleaseChart> {
  const { valuesFiles, values, set } = wanted
  const secrets = await Promise.all(
    Object.entries(wanted.secrets).map(async ([path, reference]): Promise<[string, Secret]> => [path, await ctx.secret(reference)]),
  )
  return { chart: await sourceOf(wanted.chart, ctx), valuesFiles, values: values as JsonObject, set, secrets: Object.fromEntries(secrets) }
}

/** Where the chart comes from; its login is read, if it has one. */
export async function sourceOf(chart: ReleaseInputs['chart'], ctx: Pick<Context, 'secret'>): Promise<string | RemoteChart> {
  if (typeof chart === 'string') return chart
  const { login, ca } = chart
  const more = {
    version: chart.version,
    ...(login === undefined ? {} : { login: { username: login.username, password: await ctx.secret(login.password) } }),
    ...(ca === undefined ? {} : { ca }),
  }
  return chart.oci === undefined ? { repo: chart.repo ?? '', name: chart.name ?? '', ...more } : { oci: chart.oci, ...more }
}

/** How a plan names the chart. */
export function chartSaid(chart: ReleaseInputs['chart']): string {
  if (typeof chart === 'string') return chart
  const { version } = chart
  return chartLabel(chart.oci === undefined ? { repo: chart.repo ?? '', name: chart.name ?? '', version } : { oci: chart.oci, version })
}

/** What stands in the release's description: a release with another one is not what is wanted. */
export async function descriptionOf(chart: ReleaseChart, { helm }: Platform): Promise<string> {
  return `lifeboat ${await helm.digest(chart)}`
}

/**
 * The paths of secrets whose value in the live release is another one. The values themselves are compared, not digests: those are
 * another machine's.
 */
export async function otherSecrets(name: ReleaseName, { secrets = {} }: ReleaseChart, { helm }: Platform): Promise<readonly string[]> {
  const paths = Object.entries(secrets)
  if (paths.length === 0) return []
  const live = await helm.values(name)
  const differs = ([path, secret]: [string, Secret]): boolean => valueAt(live, path) !== secret.reveal()
  return paths.filter(differs).map(([path]) => path)
}
