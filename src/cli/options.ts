import { InvalidArgumentError, Option, type Command } from 'commander'

/** What every command shares (design §8). Flags win over the environment. */
export interface CommonOptions {
  readonly cloud?: string
  readonly stateDir?: string
  readonly json?: boolean
  readonly yes?: boolean
  readonly confirm?: string
  /** What becomes of gates; without it, `--yes` passes them. */
  readonly gate?: 'auto' | 'ask'
  /** commander's name for `--no-input`: false when given. */
  readonly input: boolean
  readonly takeOver?: boolean
  /** Shows what would be done, and ends. */
  readonly dryRun?: boolean
  readonly accept?: readonly string[]
  readonly color: boolean
  readonly verbose?: boolean
  readonly quiet?: boolean
  readonly debug?: boolean
}

export interface WorldOptions {
  readonly speed: number
  readonly world?: string
}

export const positive = (text: string): number => {
  const value = Number(text)
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('It must be a number above 0.')
  return value
}

export function withState(command: Command): Command {
  return command.option('--state-dir <dir>', 'where runs are kept (or LIFEBOAT_STATE_DIR)')
}

export function withOutput(command: Command): Command {
  return command
    .option('--json', 'data as JSON on standard output')
    .option('--no-color', 'no colours')
    .option('--verbose', 'say more')
    .option('--quiet', 'say only what must be said')
    .option('--debug', 'show stacks of errors, and every request and command on standard error')
}

export function withCloud(command: Command): Command {
  return command.option('--cloud <file>', "cloud file; without it, the runbook's own cloud")
}

export function withConsent(command: Command): Command {
  command.option('--yes', 'pass gates and manual steps without asking')
  return withoutGates(command.addOption(gate()))
}

/** The way back has no gates; that of a real run wants the runbook's name whatever flags say. */
export function withConsentBack(command: Command): Command {
  command.option('--yes', 'put a rehearsal back without asking; a real run is put back only by its name')
  return withoutGates(command.addOption(gate().hideHelp()))
}

const gate = (): Option => new Option('--gate <how>', 'pass gates without asking, or ask also with --yes').choices(['auto', 'ask'])

function withoutGates(command: Command): Command {
  return command
    .option('--no-input', 'never ask anything')
    .option('--take-over', 'displace an owner who cannot be proved dead')
}

/** Commander's way of an option that may be given more than once. */
const collect = (text: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), text]

export function withAccept(command: Command): Command {
  return command.addOption(
    new Option('--accept <step=id>', 'take the other way that this step offers when it cannot go on; may be repeated').argParser(collect),
  )
}

export function withWorld(command: Command): Command {
  return command
    .addOption(new Option('--speed <n>', 'how many times as fast the world runs').argParser(positive).default(30))
    .option('--world <file>', "world to play in; without it, the runbook's own")
}
