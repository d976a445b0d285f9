import type { JsonObject, Json, Secret } from '../../contract/index.js'

/** The real helm, with a kubeconfig of the run's own and nothing of the operator's machine. */
export interface HelmDoor {
  /** All revisions that are kept, oldest first; empty if there is no such release. Throws `kube.unreachable`, `kube.denied`. */
  history(release: ReleaseName): Promise<readonly Revision[]>
  /** What the newest revision was given (`helm get values`), secrets included: to be compared in memory and nowhere kept. */
  values(release: ReleaseName): Promise<JsonObject>
  /**
   * Can this chart be rendered with these values? Asks no cluster. Throws `helm.chart`, `helm.values`, `helm.kube-version`, and
   * what pulling it throws.
   */
  template(release: Omit<ReleaseName, 'cluster'>, chart: ReleaseChart, cluster: { readonly kubeVersion?: string }): Promise<Rendered>
  /** Digest of a chart and all its values but the secret ones: what the step keeps in a release's description. */
  digest(chart: ReleaseChart): Promise<string>
  /** Pulls a chart from afar, once in a life of the run, and answers with its digest. Throws `helm.pull`, some of it to be tried again. */
  pull(chart: RemoteChart): Promise<string>
  /**
   * `helm upgrade --install --wait`. Throws `helm.pending` (recover first), `helm.timeout`, `helm.ownership`, `helm.conflict`,
   * `helm.hook`, `helm.failed`, what `template` throws, and what the API server's silence is.
   */
  upgrade(release: ReleaseName, chart: ReleaseChart, options: UpgradeOptions): Promise<void>
  uninstall(release: ReleaseName, options: HelmOptions): Promise<void>
  rollback(release: ReleaseName, revision: number, options: RollbackOptions): Promise<void>
  /** Which binary and version is used; throws `helm.missing`, `helm.version`. */
  version(): Promise<{ readonly path: string; readonly version: string }>
}

export interface ReleaseName {
  /** Resource id of the managed cluster: credentials are listed when needed. */
  readonly cluster: string
  readonly namespace: string
  readonly name: string
}

export interface Revision {
  readonly revision: number
  /** deployed, failed, superseded, pending-install, pending-upgrade, pending-rollback, uninstalling, uninstalled, unknown */
  readonly status: string
  /** `hub-0.1.0` */
  readonly chart: string
  /** `helm upgrade --description`, or helm's own words where the operation did not come to a good end. */
  readonly description: string
  /** When helm began with it (uninstalling: with that), by the clock of the machine that it ran on. Absent where nobody tells. */
  readonly begunAt?: Date
}

/** A chart and what it is given. Later values win, as with helm's own options: files in their order, values, set, secrets. */
export interface ReleaseChart {
  /** Path of a folder or an archive, or where to pull it from. */
  readonly chart: string | RemoteChart
  /** Absolute paths of YAML files. */
  readonly valuesFiles?: readonly string[]
  readonly values?: JsonObject
  /** By helm's paths (`a.b[0].c`), in order. */
  readonly set?: Readonly<Record<string, Json>>
  /** By helm's paths. Struck out of whatever helm says. */
  readonly secrets?: Readonly<Record<string, Secret>>
}

/** A chart in an OCI registry, or in an HTTP repository (then with its name there). */
export type RemoteChart = ({ readonly oci: string } | { readonly repo: string; readonly name: string }) & {
  readonly version: string
  readonly login?: { readonly username: string; readonly password: Secret }
  /** PEM file, if the system's authorities do not vouch for the server. */
  readonly ca?: string
}

export interface Rendered {
  /** `Job/hub-check` for each `pre-install` hook. */
  readonly preInstallHooks: readonly string[]
}

export interface HelmOptions {
  /** Milliseconds of the run's clock. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

export interface UpgradeOptions extends HelmOptions {
  readonly description: string
}

export interface RollbackOptions extends HelmOptions {
  /** False for a state that is only gone through: it is done when the objects are written, ready or not, and without the chart's hooks. */
  readonly wait?: boolean
}
