const maxLength = 64
const maxCandidates = 1000

/** How many letters must be added, removed, replaced or swapped with their neighbour to make one word of the other. */
export function distance(a: string, b: string): number {
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1]
      let cost = Math.min(
        (above[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (above[column - 1] ?? 0) + (same ? 0 : 1),
      )
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      if (swapped) cost = Math.min(cost, (before[column - 2] ?? 0) + 1)
      current.push(cost)
    }
    before = above
    above = current
  }
  return above[b.length] ?? 0
}

/** The candidate that was probably meant, or undefined when none is close: about one slip in three letters. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > maxLength) return undefined
  const allowed = Math.ceil(word.length / 3)
  let best: { name: string; slips: number } | undefined
  let seen = 0
  for (const name of candidates) {
    if ((seen += 1) > maxCandidates) break
    if (Math.abs(name.length - word.length) > allowed) continue
    const slips = distance(word.toLowerCase(), name.toLowerCase())
    if (slips <= allowed && (best === undefined || slips < best.slips)) best = { name, slips }
  }
  return best?.name
}

/** `did you mean "address"?`, or what there is, or what else to say. `besides` may have been meant, too, and is too much to be listed. */
export function suggestion(word: string, candidates: Iterable<string>, what: string, besides: Iterable<string> = []): string {
  const names = [...candidates]
  const near = nearest(word, [...names, ...besides])
  if (near !== undefined) return `did you mean ${quoted(near)}?`
  if (names.length === 0) return `there are no ${what}`
  const shown = names.slice(0, 12).map(quoted).join(', ')
  return `${what}: ${shown}${names.length > 12 ? `, and ${names.length - 12} more` : ''}`
}

/** Text of the runbook inside a message: on one line, without control characters, not too long. */
export function quoted(text: string): string {
  const short = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text
  return JSON.stringify(short).replace(/[\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '?')
}
