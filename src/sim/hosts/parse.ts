/** A word of a command; `pattern` where unquoted `*` and `?` stand for file names, with everything else escaped. */
export interface Word {
  readonly text: string
  readonly pattern?: RegExp
}

export interface Redirect {
  readonly descriptor: 0 | 1 | 2
  readonly how: 'read' | 'write' | 'append' | 'duplicate'
  /** A file, or the number of the descriptor that is duplicated. */
  readonly target: Word
}

export interface Command {
  readonly words: readonly Word[]
  readonly redirects: readonly Redirect[]
}

/** Commands joined by `|`; `after` says when it runs. */
export interface Pipeline {
  readonly after: ';' | '&&' | '||'
  readonly negated: boolean
  readonly commands: readonly Command[]
}

/** A text that no POSIX shell takes, or that this small one does not know. */
export class ShellSyntaxError extends Error {}

type Token = { readonly kind: 'word'; readonly word: Word } | { readonly kind: 'operator'; readonly text: string }

const operators = ['&&', '||', '2>&1', '1>&2', '>&2', '2>>', '2>', '1>', '>>', ';', '|', '>', '<', '\n'] as const
const reserved = new Set(['if', 'then', 'else', 'elif', 'fi', 'for', 'while', 'until', 'do', 'done', 'case', 'esac', '{', '}', 'function'])

/** Takes a script apart: words with their quotes, `;`, newline, `&&`, `||`, `|`, `!`, redirections. Throws ShellSyntaxError. */
export function parseScript(script: string): Pipeline[] {
  const pipelines: Pipeline[] = []
  let after: Pipeline['after'] = ';'
  let commands: Command[] = []
  let words: Word[] = []
  let redirects: Redirect[] = []
  let negated = false
  const tokens = tokenize(script)
  const endCommand = (): boolean => {
    if (words.length === 0 && redirects.length === 0) return false
    commands.push({ words, redirects })
    words = []
    redirects = []
    return true
  }
  const endPipeline = (operator: string): void => {
    const ended = endCommand()
    if (!ended && (commands.length > 0 || negated)) throw new ShellSyntaxError(`"${shown(operator)}" unexpected`)
    if (commands.length > 0) pipelines.push({ after, negated, commands })
    else if (operator !== '\n' && operator !== '') throw new ShellSyntaxError(`"${shown(operator)}" unexpected`)
    commands = []
    negated = false
  }
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at]
    if (token === undefined) break
    if (token.kind === 'word') {
      if (words.length === 0 && token.word.text === '!' && commands.length === 0) negated = true
      else words.push(checked(token.word, words.length === 0))
    } else if (/[<>]/.test(token.text)) {
      const next = tokens[at + 1]
      redirects.push(redirectOf(token.text, next))
      if (!token.text.includes('&')) at += 1
    } else if (token.text === '|') {
      if (!endCommand()) throw new ShellSyntaxError('"|" unexpected')
    } else {
      const idle = commands.length === 0 && words.length === 0 && redirects.length === 0
      // A line may end behind `&&`; then the next one goes on.
      if (token.text === '\n' && idle) continue
      endPipeline(token.text)
      after = token.text === '&&' || token.text === '||' ? token.text : ';'
    }
  }
  endPipeline('')
  if (after !== ';' && (pipelines.length === 0 || tokens.at(-1)?.kind === 'operator')) throw new ShellSyntaxError('end of file unexpected')
  return pipelines
}

const shown = (operator: string): string => (operator === '' ? 'end of file' : operator === '\n' ? 'newline' : operator)

function checked(word: Word, first: boolean): Word {
  if (first && (reserved.has(word.text) || /^\w+=/.test(word.text))) {
    throw new ShellSyntaxError(`the simulated host does not know ${word.text}`)
  }
  return word
}

function redirectOf(operator: string, next: Token | undefined): Redirect {
  if (operator.includes('&')) {
    return { descriptor: operator.startsWith('2') ? 2 : 1, how: 'duplicate', target: { text: operator.slice(-1) } }
  }
  if (next?.kind !== 'word') throw new ShellSyntaxError(`"${operator}" leads nowhere`)
  if (operator === '<') return { descriptor: 0, how: 'read', target: next.word }
  return { descriptor: operator.startsWith('2') ? 2 : 1, how: operator.endsWith('>>') ? 'append' : 'write', target: next.word }
}

function tokenize(script: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  while (at < script.length) {
    const character = script[at] ?? ''
    const operator = operators.find((one) => script.startsWith(one, at))
    if (character === '#') {
      while (at < script.length && script[at] !== '\n') at += 1
    } else if (operator !== undefined) {
      tokens.push({ kind: 'operator', text: operator })
      at += operator.length
    } else if (character === ' ' || character === '\t' || character === '\r') {
      at += 1
    } else if (script.startsWith('\\\n', at)) {
      at += 2
    } else {
      const read = readWord(script, at)
      tokens.push({ kind: 'word', word: read.word })
      at = read.end
    }
  }
  return tokens
}

/** One word from `at` on: quotes are taken away, and what is special beyond them is refused by name. */
function readWord(script: string, at: number): { word: Word; end: number } {
  let text = ''
  let pattern = ''
  let globbing = false
  const add = (part: string): void => {
    text += part
    pattern += part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  }
  let end = at
  for (; end < script.length; end += 1) {
    const character = script[end] ?? ''
    if (/[\s;|<>]/.test(character) || (character === '&' && script[end + 1] === '&')) break
    if (character === "'") {
      const close = script.indexOf("'", end + 1)
      if (close < 0) throw new ShellSyntaxError('Unterminated quoted string')
      add(script.slice(end + 1, close))
      end = close
    } else if (character === '"') {
      const read = readDouble(script, end + 1)
      add(read.text)
      end = read.end
    } else if (character === '\\') {
      end += 1
      if (script[end] !== '\n') add(script[end] ?? '\\')
    } else if (character === '*' || character === '?') {
      globbing = true
      text += character
      pattern += character === '*' ? '[^/]*' : '[^/]'
    } else {
      if (/[$`&()]/.test(character)) throw new ShellSyntaxError(`the simulated host does not know ${character}`)
      add(character)
    }
  }
  return { word: { text, ...(globbing ? { pattern: new RegExp(`^${pattern}$`) } : {}) }, end }
}

function readDouble(script: string, from: number): { text: string; end: number } {
  let text = ''
  for (let at = from; at < script.length; at += 1) {
    const character = script[at] ?? ''
    if (character === '"') return { text, end: at }
    if (character === '\\' && /["\\$`\n]/.test(script[at + 1] ?? '')) {
      at += 1
      if (script[at] !== '\n') text += script[at] ?? ''
    } else {
      if (/[$`]/.test(character)) throw new ShellSyntaxError(`the simulated host does not know ${character}`)
      text += character
    }
  }
  throw new ShellSyntaxError('Unterminated quoted string')
}
