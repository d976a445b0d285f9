/** Parameters that grant nothing. Whatever else stands in a query may: operation URLs of Azure carry tokens in theirs. */
const harmless: ReadonlySet<string> = new Set(['api-version', '$filter', '$expand', '$top'])

/** An operation's name is enough to follow it, and some are tokens themselves (moves between groups). */
const operation = /(\/(?:async)?operation(?:s|results|statuses)\/)[^/?]+/gi

/** What was asked for lately: who waits asks the same again and again. */
const lately = new Map<string, string>()
const most = 200

/** An address as a log may keep it. */
export function loggedUrl(text: string): string {
  const known = lately.get(text)
  if (known !== undefined) return known
  const made = withoutSecrets(text)
  if (lately.size >= most) lately.clear()
  lately.set(text, made)
  return made
}

function withoutSecrets(text: string): string {
  const url = new URL(text)
  const kept = [...url.searchParams].map(([name, value]) => `${name}=${harmless.has(name.toLowerCase()) ? value : '***'}`)
  return `${url.origin}${url.pathname.replace(operation, '$1***')}${kept.length === 0 ? '' : `?${kept.join('&')}`}`
}
