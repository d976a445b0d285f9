/** Shorter lines of a longer secret (a bracket) give nothing away, and stand in everything. */
const leastLine = 4

/**
 * Strikes secrets out of text: the value as it is, each of its lines, as JSON writes it, and in base64. What a program makes of
 * a secret beyond that nobody can know.
 */
export function strikeOut(text: string, secrets: readonly string[]): string {
  return strikerOf(secrets)(text)
}

/** The same for many texts. */
export function strikerOf(secrets: readonly string[]): (text: string) => string {
  const longestFirst = secretForms(secrets)
  return (text) => longestFirst.reduce((struck, form) => (form.length > struck.length ? struck : struck.replaceAll(form, '***')), text)
}

/** Every text that is struck out, the longest first. */
export function secretForms(secrets: readonly string[]): readonly string[] {
  const forms = secrets.flatMap((secret) => [
    secret,
    ...secret.split(/\r?\n/).filter((line) => line.trim().length >= leastLine),
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret).toString('base64'),
  ])
  return [...new Set(forms)].filter((form) => form.trim() !== '').sort((a, b) => b.length - a.length)
}
