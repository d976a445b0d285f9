import { onlyReads } from '../world/shell.js'
import { parseScript, ShellSyntaxError } from './parse.js'

/** The world's judgement of a command line: would it change the host? Looks inside sudo, flock and `sh -c`; what is not known changes. */
export function changes(line: string): boolean {
  try {
    return parseScript(line).some(({ commands }) =>
      commands.some(
        ({ words, redirects }) =>
          redirects.some(({ how, target }) => (how === 'write' || how === 'append') && target.text !== '/dev/null') ||
          wordsChange(words.map((word) => word.text)),
      ),
    )
  } catch (error) {
    if (error instanceof ShellSyntaxError) return true
    throw error
  }
}

function wordsChange(words: readonly string[]): boolean {
  const [name, ...rest] = words
  if (name === undefined) return false
  if (name === 'sudo') return wordsChange(rest.filter((word, at) => !(at === 0 && word === '-n')))
  if (name === 'flock') {
    let at = 0
    while (rest[at]?.startsWith('-') === true) at += ['-w', '-E'].includes(rest[at] ?? '') ? 2 : 1
    return wordsChange(rest.slice(at + 1))
  }
  if ((name === 'sh' || name === 'bash') && rest[0] === '-c' && rest[1] !== undefined) return changes(rest[1])
  // Words have lost their quotes: what a quote protected must not look like syntax to the plain judge.
  return !onlyReads(words.map((word) => word.replace(/[;&|<>`$(){}\n'"]/g, '_')).join(' '))
}
