// Where the time of a rehearsal goes: pure, from what a run, its world and the programs that it started have left behind.

/** Milliseconds; `from` before `until`. */
export interface Span {
  readonly from: number
  readonly until: number
}

/** A step as the run's events tell it. All times are real milliseconds. */
export interface StepFacts {
  readonly id: string
  readonly needs: readonly string[]
  /** Its end. Steps without one were never done. */
  readonly ended: number
  /** What the world itself did for it: operations on the resources that its changes name. */
  readonly world: readonly Span[]
  /** Between its readiness and its start another step held what it claims. */
  readonly claims: readonly Span[]
}

export interface RunFacts {
  /** From the start of the process to its end. */
  readonly whole: Span
  /** From here on steps are carried out: before it are start-up and planning. */
  readonly planned: number
  readonly steps: readonly StepFacts[]
  readonly programs: readonly (Span & { readonly program: string })[]
  /** Moments at which the process was seen at work: requests answered, events told. */
  readonly marks: readonly number[]
}

/** How one part of the run's time was spent, in real milliseconds. `world` is not ours. */
export type Spent = Readonly<Record<string, number>>

export interface Part {
  /** A step of the chain that the run took, or what came before and after all steps. */
  readonly name: string
  readonly span: Span
  readonly spent: Spent
}

/** A silence longer than this between two signs of work is a wait of ours: for the next look, or for a poll. */
const silenceMs = 80

/**
 * The chain of steps that decided how long the run took: back from the step that ended last, each time to the need that ended
 * last. Every moment between two ends on it counts for one thing: the world at work on the step; else a claim; else a program
 * of ours at work; else waiting, or what is left: requests and our own process.
 */
export function accountOf(facts: RunFacts): readonly Part[] {
  const chain = chainOf(facts.steps)
  const firstEnd = chain[0]?.ended ?? facts.whole.until
  const before = { from: facts.whole.from, until: Math.min(facts.planned, firstEnd) }
  const parts: Part[] = [{ name: 'start-up and plan', span: before, spent: { own: lengthOf(before) } }]
  let reached = before.until
  for (const step of chain) {
    const span = { from: reached, until: Math.max(reached, step.ended) }
    parts.push({ name: step.id, span, spent: spentIn(span, step, facts) })
    reached = span.until
  }
  const after = { from: reached, until: facts.whole.until }
  return [...parts, { name: 'the end', span: after, spent: { own: lengthOf(after) } }]
}

export function chainOf(steps: readonly StepFacts[]): readonly StepFacts[] {
  const byId = new Map(steps.map((step) => [step.id, step]))
  const chain: StepFacts[] = []
  for (let at = latest(steps); at !== undefined; at = latest(at.needs.flatMap((id) => byId.get(id) ?? []))) chain.unshift(at)
  return chain
}

/** What all parts spent, summed by kind. */
export function totalOf(parts: readonly Part[]): Spent {
  const total: Record<string, number> = {}
  for (const { spent } of parts) {
    for (const [kind, ms] of Object.entries(spent)) total[kind] = (total[kind] ?? 0) + ms
  }
  return total
}

function spentIn(span: Span, { world, claims }: StepFacts, { programs, marks }: RunFacts): Spent {
  const names = [...new Set(programs.map(({ program }) => program))].sort()
  const kinds: [string, readonly Span[]][] = [
    ['world', world],
    ['claims', claims],
    ...names.map((name): [string, readonly Span[]] => [name, programs.filter(({ program }) => program === name)]),
    ['waiting', silences(span, marks, programs)],
  ]
  let left: readonly Span[] = [span]
  const spent: Record<string, number> = {}
  for (const [kind, spans] of kinds) {
    const rest = without(left, spans)
    spent[kind] = sumOf(left) - sumOf(rest)
    left = rest
  }
  return { ...spent, own: sumOf(left) }
}

/** Stretches without a sign of work. */
function silences(span: Span, marks: readonly number[], programs: readonly Span[]): readonly Span[] {
  const signs = [...marks, ...programs.flatMap(({ from, until }) => [from, until])].filter((at) => at > span.from && at < span.until)
  const edges = [span.from, ...signs.sort((a, b) => a - b), span.until]
  return edges.slice(1).flatMap((until, index) => {
    const from = edges[index] ?? until
    return until - from > silenceMs ? [{ from, until }] : []
  })
}

/** What is left of some spans when others are taken away. */
export function without(spans: readonly Span[], taken: readonly Span[]): readonly Span[] {
  let left = spans
  for (const { from, until } of taken) {
    left = left.flatMap((one) => {
      if (until <= one.from || from >= one.until) return [one]
      return [{ from: one.from, until: from }, { from: until, until: one.until }].filter((part) => part.until > part.from)
    })
  }
  return left
}

function sumOf(spans: readonly Span[]): number {
  return spans.reduce((sum, span) => sum + lengthOf(span), 0)
}

function lengthOf({ from, until }: Span): number {
  return until - from
}

function latest(steps: readonly StepFacts[]): StepFacts | undefined {
  return [...steps].sort((a, b) => b.ended - a.ended)[0]
}
