import type { JsonObject } from '../../contract/index.js'

/** The real helm, with a kubeconfig of the run's own and nothing of the operator's machine. */
export interface HelmDoor {
  /** All revisions that are kept, oldest first; empty if there is no such release. Throws `kube.unreachable`, `kube.denied`. */
  history(release: ReleaseName): Promise<readonly Revision[]>
  /** Can this chart be rendered with these values? Asks no cluster. Throws `helm.chart`. */
  template(release: Omit<ReleaseName, 'cluster'>, chart: Omit<ReleaseChart, 'description'>): Promise<void>
  /** Digest of a chart and its values: what the step keeps in a release's description. */
  digest(chart: Omit<ReleaseChart, 'description'>): Promise<string>
  /**
   * `helm upgrade --install --wait`. Throws `helm.pending` (recover first), `helm.timeout`, `helm.ownership`,
   * `helm.conflict`, `helm.failed`, and what the API server's silence is.
   */
  upgrade(release: ReleaseName, chart: ReleaseChart, options: HelmOptions): Promise<void>
  uninstall(release: ReleaseName, options: HelmOptions): Promise<void>
  rollback(release: ReleaseName, revision: number, options: HelmOptions): Promise<void>
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
}

export interface ReleaseChart {
  /** Folder or archive. */
  readonly path: string
  readonly values: JsonObject
  readonly description: string
}

export interface HelmOptions {
  /** Milliseconds of the run's clock. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
}
