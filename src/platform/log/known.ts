import { secretForms, strikerOf } from '../command/strike.js'

/** Every secret that this process has read, so that a log can be kept free of them wherever they turn up. */
const known = new Set<string>()

/** Strikes them out; undefined until it is next needed. */
let striker: ((text: string) => string) | undefined

/** Shorter ones are no secrets, and striking them out would leave nothing to read. */
const leastLength = 4

export function rememberSecret(value: string): void {
  if (value.trim().length < leastLength || known.has(value)) return
  known.add(value)
  striker = undefined
  written = undefined
}

/** For a process that goes on from one world to another: what opened the one is none of the other's. */
export function forgetSecrets(): void {
  known.clear()
  striker = undefined
  written = undefined
}

/** What is secret by its form, whoever made it: tokens (RFC 7519), private keys (RFC 7468), credentials of a header (RFC 9110 11.6.2). */
const forms: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, '***'],
  [/\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g, '***'],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, '$1 ***'],
  [/((?:client-key-data|client_secret|password|secretToken)["']?\s*[:=]\s*["']?)[^\s"',}]+/gi, '$1***'],
  [/(\/\/)[^\s/@:]+:[^\s/@]+@/g, '$1***@'],
]

/** Stands in every text that has one of the forms, and in what JSON makes of it. */
const suspicious = /PRIVATE KEY|eyJ|bearer|basic|client-key-data|client_secret|password|secretToken|\/\/[^\s/@:]+:[^\s/@]+@/i

/** In the way that JSON writes them. */
let written: readonly string[] | undefined

/** May a text that JSON has been made of have something that `strikeKnown` strikes out? No is certain: most lines of a log have nothing. */
export function mayHoldSecrets(json: string): boolean {
  written ??= secretForms([...known]).map((form) => JSON.stringify(form).slice(1, -1))
  return suspicious.test(json) || written.some((form) => json.includes(form))
}

/** Text without any secret that this process has read, and without what has the form of one. */
export function strikeKnown(text: string): string {
  striker ??= strikerOf([...known])
  const struck = striker(text)
  // Most texts have none of the words that all of these forms have.
  return suspicious.test(struck) ? forms.reduce((rest, [form, by]) => rest.replace(form, by), struck) : struck
}
