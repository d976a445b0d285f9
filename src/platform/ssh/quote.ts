/**
 * One command line for the remote POSIX shell out of separate words. The only place where words become shell text: SSH has
 * no argument arrays.
 */
export function quoteWords(words: readonly string[]): string {
  return words.map(quoteWord).join(' ')
}

/** Commands as one: a shell runs several in turn, up to the first that fails. */
export function inTurn(commands: readonly (readonly string[])[]): readonly string[] {
  const [only, ...others] = commands
  if (only !== undefined && others.length === 0) return only
  return ['sh', '-c', commands.map(quoteWords).join(' && ')]
}

function quoteWord(word: string): string {
  // What no shell takes for anything else may stand as it is, so that logs stay readable.
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word)) return word
  return `'${word.replaceAll("'", '\'\\\'\'')}'`
}
