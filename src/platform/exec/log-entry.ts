import { LifeboatError, type LoggedCommand, type Write } from '../../contract/index.js'
import { strikeKnown } from '../log/known.js'
import { stepAtWork } from '../log/step.js'
import type { Command, Finished } from './command.js'

/** How much of the end of an output is looked through, and how much of that is kept, in characters. */
const soughtLength = 64 * 1024
const keptLength = 4 * 1024

type Ended = Finished | { readonly error: unknown }

/** A command that has ended, as a log keeps it. */
export function commandEntry(command: Command & { readonly say: string }, ended: Ended, tookMs: number): LoggedCommand {
  const { say, withheld } = command
  const facts = { kind: 'command' as const, step: stepAtWork(), command: say, writes: writesOf(command), tookMs }
  if ('error' in ended) return { ...facts, failure: ended.error instanceof LifeboatError ? ended.error.code : 'aborted' }
  const { exitCode, stdout, stderr } = ended
  const said = withheld === true ? { withheld: stdout.length } : outputOf('stdout', stdout)
  return { ...facts, exitCode, ...said, ...outputOf('stderr', stderr) }
}

/** What a command that may change the world does; one that does not say counts by its program, so that none is missed. */
export function writesOf({ survivor, writes, file }: Pick<Command, 'survivor' | 'writes' | 'file'>): readonly Write[] {
  if (survivor === undefined) return []
  return writes ?? [{ command: file.split('/').at(-1) ?? file }]
}

/** Struck out before it is cut: half a secret would not be known for one. */
function outputOf(name: 'stdout' | 'stderr', text: string): Pick<LoggedCommand, 'stdout' | 'stderr'> {
  const sought = text.length <= soughtLength ? text : text.slice(-soughtLength).split('\n').slice(1).join('\n')
  const struck = strikeKnown(sought).trimEnd()
  if (struck === '') return {}
  return { [name]: struck.length <= keptLength ? struck : `…${struck.slice(-keptLength)}` }
}
