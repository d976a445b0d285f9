import type { SshResult } from '../ssh/door.js'
import { quoteWords } from '../ssh/quote.js'
import { unreadable, type Host } from './run.js'

/** A question to a host: a command that only reads, and what its answer means. `read` may throw. */
export interface Question<T> {
  readonly command: readonly string[]
  read(result: SshResult, host: Host): T
}

type Answers<Q extends readonly Question<unknown>[]> = { readonly [K in keyof Q]: Q[K] extends Question<infer T> ? T : never }

const mark = 'lifeboat-answered'

/**
 * Asks all of these over one connection, which costs far more than the commands do. An exit code is 0 or 1 then, and
 * standard error is that of all of them together.
 */
export async function ask<const Q extends readonly Question<unknown>[]>(host: Host, ...questions: Q): Promise<Answers<Q>> {
  const [only] = questions
  if (only !== undefined && questions.length === 1) {
    return [only.read(await host.ssh.read(host.at, only.command), host)] as unknown as Answers<Q>
  }
  const script = questions.map(({ command }) => `${quoteWords(command)} && echo ${mark} 0 || echo ${mark} 1`).join('; ')
  const { stdout, stderr } = await host.ssh.read(host.at, ['sh', '-c', script])
  // A file may end without a newline.
  const parts = stdout.split(new RegExp(`${mark} ([01])\\n`))
  // Text and exit code take turns; behind the last mark nothing is left.
  if (parts.length !== questions.length * 2 + 1) throw unreadable(host.at, 'sh', stderr === '' ? stdout : stderr)
  return questions.map((question, index) =>
    question.read({ stdout: parts[index * 2] ?? '', stderr, exitCode: Number(parts[index * 2 + 1]) }, host),
  ) as unknown as Answers<Q>
}
