import { LifeboatError } from '../../contract/index.js'

const silence =
  /unable to connect to the server|connection refused|connection reset|i\/o timeout|unexpected EOF|: EOF|no such host|cluster unreachable|TLS handshake|proxyconnect|Service Unavailable|Bad Gateway|Gateway Timeout|no route to host|server is currently unable/i
const refusal = /Unauthorized|must be logged in|\(Forbidden\)|is forbidden|provide credentials/i

export function isUnreachable(stderr: string): boolean {
  return silence.test(stderr) && !isDenied(stderr)
}

export function isDenied(stderr: string): boolean {
  return refusal.test(stderr)
}

/** What kubectl and helm say of an API server that cannot be reached or does not let us in. */
export function kubeError(stderr: string): LifeboatError {
  const text = lastLine(stderr)
  if (isDenied(stderr)) {
    return new LifeboatError('kube.denied', `the Kubernetes API server refuses: ${text}`, {
      hint: 'A cluster without local accounts needs kubelogin; otherwise look at who may list its credentials.',
    })
  }
  if (isUnreachable(stderr)) {
    return new LifeboatError('kube.unreachable', `the Kubernetes API server does not answer: ${text}`, { retry: {} })
  }
  if (/the server doesn't have a resource type/i.test(stderr)) {
    return new LifeboatError('kube.no-kind', `the cluster knows no such kind: ${text.replace(/^error: /i, '')}`, { blame: 'user' })
  }
  return new LifeboatError('kube.failed', `Kubernetes failed: ${text}`)
}

/** The last line, where these programs say what was wrong; helm 4 puts it into a field of a log line. */
export function lastLine(stderr: string): string {
  const lines = stderr.trim().split('\n')
  return (lines.at(-1) ?? '').replace(/^Error: /, '').slice(0, 500)
}
