import { LifeboatError } from '../../contract/index.js'
import { isDenied, isUnreachable, kubeError, lastLine } from '../kube/errors.js'

/** What helm says on standard error, as facts/helm-wire lists it, told apart. */
export function helmError(stderr: string): LifeboatError {
  const text = lastLine(stderr)
  if (/another operation \(install\/upgrade\/rollback\) is in progress/.test(stderr)) {
    // Worth another look: the step sees the pending revision and recovers before it tries again.
    return new LifeboatError('helm.pending', 'helm says that another operation on this release is in progress', { retry: {} })
  }
  if (/invalid ownership metadata/i.test(stderr)) {
    return new LifeboatError('helm.ownership', `an object of this chart belongs to another release: ${text}`, {
      blame: 'user',
      hint: 'Look at who made it: two releases with the same objects in one namespace cannot both be right.',
    })
  }
  if (/conflict occurred while applying|Apply failed with \d+ conflict/i.test(stderr)) {
    return new LifeboatError('helm.conflict', `somebody else has changed an object of this release: ${text}`, {
      blame: 'user',
      hint: 'Find out who (`kubectl get … --show-managed-fields`); a deployment that still runs elsewhere is a usual one.',
    })
  }
  // Before the waits: "context deadline exceeded" also ends the message of a server that never answered.
  if (isUnreachable(stderr) || isDenied(stderr)) return kubeError(stderr)
  if (/context deadline exceeded|timed out waiting|resource .* not ready/i.test(stderr)) {
    return new LifeboatError('helm.timeout', `helm waited in vain: ${waitedFor(stderr)}`, {
      hint: 'Look at the pods of this namespace: a slow image pull passes with time, and `lifeboat resume` waits again.',
    })
  }
  return new LifeboatError('helm.failed', `helm failed: ${text}`, { blame: 'user' })
}

/** helm 4 names every resource that was not ready in the end, a line each. */
function waitedFor(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trim().replace(/^Error: /, ''))
  const named = lines.filter((line) => /^resource .*not ready/i.test(line))
  return named.length === 0 ? lastLine(stderr) : named.slice(0, 5).join('; ')
}
