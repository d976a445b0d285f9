import type { JsonObject } from '../../contract/index.js'

/** The real kubectl, with the same kubeconfig as the helm door. */
export interface KubeDoor {
  /** undefined if absent. Throws `kube.no-kind` where the cluster has no such kind, `kube.unreachable`, `kube.denied`. */
  get(cluster: string, namespace: string, kind: string, name: string): Promise<JsonObject | undefined>
  list(cluster: string, namespace: string, kind: string): Promise<readonly JsonObject[]>
  /** Deletes one object; used to remove the secret of a pending release, never a namespace. */
  delete(cluster: string, namespace: string, kind: string, name: string): Promise<void>
  version(): Promise<{ readonly path: string; readonly version: string }>
}
