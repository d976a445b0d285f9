/** A text, or a regular expression where it stands between slashes. */
export function matcher(text: string): (said: string) => boolean {
  const pattern = /^\/(.+)\/$/s.exec(text)?.[1]
  if (pattern === undefined) return (said) => said.includes(text)
  const expression = new RegExp(pattern, 'i')
  return (said) => expression.test(said)
}

/** The same of what was said at a terminal, which breaks lines where it likes: spaces and ends of lines are one. */
export function saidMatcher(text: string): (said: string) => boolean {
  const isPattern = /^\/(.+)\/$/s.test(text)
  const fits = matcher(isPattern ? text : collapsed(text))
  return (said) => fits(collapsed(said)) || (isPattern && fits(said))
}

function collapsed(text: string): string {
  return text.replaceAll(/\s+/g, ' ')
}

/** Does a request fit `PUT managedClusters`? Paths are compared without regard to case, as Azure does. */
export function callMatcher(call: string): (method: string, path: string) => boolean {
  const at = call.indexOf(' ')
  const [method, path] = [call.slice(0, at), call.slice(at + 1)]
  const fits = path.startsWith('/') && path.endsWith('/') && path.length > 2 ? matcher(path) : (said: string): boolean => said.toLowerCase().includes(path.toLowerCase())
  return (sent, to) => sent === method && fits(to)
}

/** Why a text between slashes is no regular expression, or undefined. */
export function wrongPattern(text: string): string | undefined {
  const pattern = /^\/(.+)\/$/s.exec(text)?.[1]
  if (pattern === undefined) return undefined
  try {
    new RegExp(pattern, 'i')
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
