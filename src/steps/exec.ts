import { z } from 'zod'
import { isPending, LifeboatError, type Change, type Finding, type Inverse, type JsonObject, type PlanInputs } from '../contract/index.js'
import { durationMs, file, secret } from '../contract/inputs.js'
import type { SiteAnswer, SiteCommand } from '../platform/command/door.js'
import { defineStep, minutes, seconds } from './step.js'

const argument = z.string().regex(/^[^\0]*$/, 'an argument has no NUL in it')
const argv = z.array(argument).min(1, 'a command has at least the name of a program')

const secretValue = z.strictObject({ secret })

const inputs = z.strictObject({
  /** Does what is to be done. It runs only after `observe` has said that it is. */
  run: argv,
  /** Looks, and must do nothing else: a dry run runs it too. See `converged` and `toBeDone`. */
  observe: argv,
  /** What is changed, in a few words: the plan shows it, and it names the change. */
  describe: z.string().min(1),
  /** Who loses what by it, if anybody does. */
  harm: z.string().min(1).optional(),
  /** Environment of all three commands, beside PATH. `{ secret: { env: NAME } }` and `{ secret: { file: PATH } }` are never shown. */
  env: z.record(z.string().regex(/^[A-Za-z_]\w*$/, 'letters, digits and _'), z.union([argument, secretValue])).default({}),
  /** Files and folders that the commands read: pinned when a run starts. */
  files: z.array(file).default([]),
  timeout: durationMs.default(10 * minutes),
  /** Puts it back. */
  inverse: argv.optional(),
})
type Inputs = z.infer<typeof inputs>

/** Exit codes of `observe`; any other means that it cannot tell, and stops the step. */
export const converged = 0
/** As `lifeboat plan --detailed-exitcode` has it; small codes are those with which programs fail. */
export const toBeDone = 10

/** Real programs get at least this long, whatever the run's clock does (design §5). */
const leastRealMs = 60 * seconds

/**
 * Commands of the site's own: one that looks and one that acts. They run in the runbook's folder, by their arguments and never by
 * a shell, and get nothing of our environment but PATH. The last line of what `observe` prints, if it is a JSON object, gives
 * the outputs.
 */
export const exec = defineStep({
  uses: 'exec',
  summary: "A command of the site's own, with another that looks whether it is to be done",
  inputs,
  outputs: z.record(z.string(), z.json()),
  identity: ['observe', 'env', 'timeout'],
  verification: ({ timeout }) => ({ everyMs: 5 * seconds, withinMs: timeout }),
  async preflight(changes, { env, inverse }, { doors }) {
    const commands = [...changes.map(({ after }) => runIn(after)), isPending(inverse) ? undefined : inverse]
    const known = commands.filter((one) => one !== undefined)
    if (isPending(env)) return []
    const found = await Promise.all(known.map((one) => doors.command.check({ argv: one, env }).then(() => [], asFinding)))
    return found.flat()
  },
  async observe(wanted, ctx) {
    const { observe, env, timeout } = wanted
    const answer = await ctx.doors.command.look({ ...{ argv: observe, env }, ...limits(timeout, ctx) })
    if (answer.exitCode === toBeDone) return { state: 'absent' }
    if (answer.exitCode === converged) return { state: 'converged', outputs: outputsIn(answer.stdout) }
    return { state: 'unknown', why: `the observe command ${ended(answer)}`, cause: cannotTell(answer) }
  },
  plan: (wanted): Change[] => [change(wanted)],
  async apply(changes, { env, timeout }, ctx) {
    for (const { resource, after } of changes) {
      const argv = runIn(after)
      if (argv === undefined) throw new LifeboatError('tool.bug', `${resource} names no command`, { blame: 'tool' })
      ctx.progress(`running ${argv[0] ?? ''}`)
      const answer = await ctx.doors.command.run({ ...{ argv, env }, ...limits(timeout, ctx) }, ctx.progress)
      if (answer.exitCode !== 0) throw failed(argv, answer)
      if (answer.lastLines.length > 0) await ctx.checkpoint({ said: answer.lastLines })
    }
  },
  invert: (changes) => changes.map(inverse),
  writes: (changes) => changes.map(({ after }) => ({ command: runIn(after)?.[0] ?? '*' })),
  claims: () => [],
  estimateMs: () => 30 * seconds,
})

function limits(timeout: number, { clock, signal }: { clock: { toReal(ms: number): number }; signal: AbortSignal }): Pick<SiteCommand, 'timeoutMs' | 'signal'> {
  return { timeoutMs: Math.max(leastRealMs, clock.toReal(timeout)), signal }
}

function change({ describe, run, env, inverse, harm }: PlanInputs<Inputs>): Change {
  if (isPending(describe)) {
    throw new LifeboatError('exec.describe', 'the text under describe names the change, and is known only later', {
      blame: 'user',
      hint: 'Write it without outputs of other steps.',
    })
  }
  const back = inverse === undefined ? {} : { inverse }
  // A secret is a reference here and stays one.
  const after = { run, ...(isPending(env) || Object.keys(env).length > 0 ? { env } : {}), ...back }
  return { resource: describe, action: 'run', after, ...(harm === undefined ? {} : { harm: String(harm) }) }
}

function inverse({ resource, after }: Change): Inverse {
  const { run, inverse: back, env } = partsOf(after)
  if (back === undefined) return { resource, irreversible: 'it has no inverse command' }
  const before = run === undefined ? {} : { inverse: run }
  return { resource: named(resource), action: 'run', after: { run: back, ...(env === undefined ? {} : { env }), ...before } }
}

const backMark = 'put back: '

/** `describe` names what a run does: on the way back nobody must read it as what is about to be done. */
function named(resource: string): string {
  return resource.startsWith(backMark) ? resource.slice(backMark.length) : backMark + resource
}

type Parts = { readonly [K in 'run' | 'inverse' | 'env']?: Change['after'] }

function partsOf(after: Change['after']): Parts {
  return typeof after === 'object' && after !== null && !isPending(after) ? (after as Parts) : {}
}

/** The command that a change runs; undefined while it is not known. */
function runIn(after: Change['after']): readonly string[] | undefined {
  const { run } = partsOf(after)
  return Array.isArray(run) ? run.map(String) : undefined
}

function outputsIn(stdout: string): JsonObject {
  const last = stdout.trimEnd().split('\n').at(-1)?.trim() ?? ''
  if (!last.startsWith('{')) return {}
  try {
    return JSON.parse(last) as JsonObject
  } catch (cause) {
    throw new LifeboatError('exec.outputs', 'the last line of the observe command begins like a JSON object and is none', {
      blame: 'user',
      hint: 'Outputs are one JSON object on one line, the last one.',
      cause,
    })
  }
}

function ended({ exitCode, lastLines }: SiteAnswer): string {
  const said = lastLines.length === 0 ? 'and said nothing' : `and said: ${lastLines.join(' | ')}`
  return `ended with exit code ${exitCode} ${said}`
}

function cannotTell(answer: SiteAnswer): LifeboatError {
  return new LifeboatError('exec.unknown', `the observe command ${ended(answer)}`, {
    blame: 'user',
    hint: `It says ${converged} when all is as wanted and ${toBeDone} when it is to be done; anything else means that it cannot tell. Nothing was run.`,
  })
}

function failed(argv: readonly string[], answer: SiteAnswer): LifeboatError {
  return new LifeboatError('exec.failed', `\`${argv[0] ?? ''}\` ${ended(answer)}`, {
    blame: 'user',
    hint: 'Find out what is wrong there; after that, going on looks with the observe command first.',
  })
}

function asFinding(error: unknown): readonly Finding[] {
  if (!(error instanceof LifeboatError)) throw error
  return [{ level: 'stop', what: error.message, mend: error.hint ?? 'Put it there.' }]
}
