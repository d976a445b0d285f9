/** A command line, taken apart. */
export interface Args {
  readonly words: readonly string[]
  /** Whether a flag was given, and all values that it was given. */
  has(flag: string): boolean
  /** The last value, or undefined. */
  value(flag: string): string | undefined
  values(flag: string): readonly string[]
}

/** Takes words and flags apart; those in `withValue` take the next word, or what stands behind `=`. */
export function readArgs(args: readonly string[], withValue: ReadonlySet<string>): Args {
  const words: string[] = []
  const flags = new Map<string, string[]>()
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? ''
    if (!arg.startsWith('-')) {
      words.push(arg)
      continue
    }
    const [, name = arg, glued] = /^(--[^=]+)=(.*)$/s.exec(arg) ?? []
    const given = flags.get(name) ?? []
    flags.set(name, given)
    if (glued !== undefined) given.push(glued)
    else if (withValue.has(name)) given.push(args[(at += 1)] ?? '')
  }
  return {
    words,
    has: (flag) => flags.has(flag),
    value: (flag) => flags.get(flag)?.at(-1),
    values: (flag) => flags.get(flag) ?? [],
  }
}
