import type { CommandWrite } from '../../contract/index.js'
import type { ReleaseName } from '../../platform/helm/door.js'
import type { Platform } from '../../platform/platform.js'

/**
 * Clears what an interrupted helm leaves behind, so that the next one is let in (facts/helm-wire). Whoever was at work is gone by
 * now: the engine has ended or awaited all children before anything is written. What failed needs nothing.
 */
export async function recoverRelease(
  name: ReleaseName,
  wish: { readonly timeoutMs: number; readonly signal: AbortSignal },
  { helm, kube }: Platform,
): Promise<void> {
  const newest = (await helm.history(name)).at(-1)
  switch (newest?.status) {
    case 'uninstalling':
      return helm.uninstall(name, wish)
    case 'pending-rollback': {
      // Run again, so that no object is left that only the revision it goes back to has; whether that one gets ready is not waited for.
      const to = /^Rollback to (\d+)$/i.exec(newest.description)?.[1]
      return to === undefined ? forget(name, newest.revision, kube) : helm.rollback(name, Number(to), { ...wish, wait: false })
    }
    case 'pending-install':
    case 'pending-upgrade':
      return forget(name, newest.revision, kube)
    default:
      return
  }
}

/** The same as a plan can tell it: whether helm can name the revision that a rollback went to, it cannot. */
export function recoveryWrites(
  { status, revision }: { readonly status?: string; readonly revision?: number },
  { space, name }: { readonly space: string; readonly name: string },
): CommandWrite[] {
  switch (status) {
    case 'uninstalling':
      return [{ command: 'helm uninstall', on: `${space}/${name}` }]
    case 'pending-rollback':
      return [{ command: 'helm rollback', on: `${space}/${name}` }]
    case 'pending-install':
    case 'pending-upgrade':
      return [{ command: 'kubectl delete', on: `${space}/secret/sh.helm.release.v1.${name}.v${revision ?? '*'}` }]
    default:
      return []
  }
}

/** Only the record of a revision that never came about goes; its objects are taken over by the next one. */
function forget({ cluster, namespace, name }: ReleaseName, revision: number, kube: Platform['kube']): Promise<void> {
  return kube.delete(cluster, namespace, 'secret', `sh.helm.release.v1.${name}.v${revision}`)
}
