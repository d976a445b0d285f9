import { strikeOut } from '../command/strike.js'

/** Every secret that this process has read, so that a log can be kept free of them wherever they turn up. */
const known = new Set<string>()

/** Shorter ones are no secrets, and striking them out would leave nothing to read. */
const leastLength = 4

export function rememberSecret(value: string): void {
  if (value.trim().length >= leastLength) known.add(value)
}

/** What is secret by its form, whoever made it: tokens (RFC 7519), private keys (RFC 7468), credentials of a header (RFC 9110 11.6.2). */
const forms: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, '***'],
  [/\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g, '***'],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, '$1 ***'],
  [/((?:client-key-data|client_secret|password|secretToken)["']?\s*[:=]\s*["']?)[^\s"',}]+/gi, '$1***'],
  [/(\/\/)[^\s/@:]+:[^\s/@]+@/g, '$1***@'],
]

/** Text without any secret that this process has read, and without what has the form of one. */
export function strikeKnown(text: string): string {
  return forms.reduce((struck, [form, by]) => struck.replace(form, by), known.size === 0 ? text : strikeOut(text, [...known]))
}
