import type { RequestWrite } from '../../contract/index.js'

/**
 * POSTs that read (design §8): logins, lists of credentials and keys, checks. `runCommand` is among them since the only script
 * that is sent reads host keys.
 */
const reads = [/\/oauth2\/(v2\.0\/)?token$/i, /\/list\w+$/i, /\/check(PolicyRestrictions|NameAvailability)$/i, /\/runCommand$/i]

/** What a request may change: itself, or nothing for one that reads. What is not known to read writes. */
export function writesIn({ method, url }: { readonly method: string; readonly url: string }): readonly RequestWrite[] {
  if (method === 'GET' || method === 'HEAD') return []
  const { pathname } = new URL(url)
  if (method === 'POST' && reads.some((one) => one.test(pathname))) return []
  return [{ method, path: pathIn(pathname) }]
}

/** Without the subscription, which is the run's, and as plain text. */
function pathIn(pathname: string): string {
  const path = pathname.split('/').filter((part) => part !== '').map(decoded).join('/')
  return path.replace(/^subscriptions\/[^/]+\/(?=.)/i, '')
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
