import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { mostSeed } from '../gameday/seed.js'
import { oneLine, wrap } from '../render/text.js'
import { exit } from './exit.js'
import { addHelp } from './help.js'
import type { Invocation } from './invocation.js'
import { positive, withAccept, withCloud, withConsent, withConsentBack, withOutput, withState, withWorld } from './options.js'
import { toolVersion } from './version.js'

type Action = (args: readonly string[], options: never, invocation: Invocation) => Promise<number>

/** Parses and runs one command line; resolves with the exit code. Command code is loaded only when its command is called. */
export async function runProgram(argv: readonly string[], invocation: Invocation): Promise<number> {
  let code: number = exit.done
  const program = new Command('lifeboat')
    .description('Fails a JupyterHub on Azure Kubernetes Service over to a new cluster, with its data.')
    .version(toolVersion(), '-V, --version')
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => invocation.output.data(text),
      writeErr: (text) => invocation.output.say(text),
    })
  const on: On = (command, load, sayFirst) => {
    command.action(async (...given: unknown[]) => {
      const options = given.at(-2) as never
      const args = given.slice(0, -2).flat().filter((one): one is string => typeof one === 'string')
      // Before the command's code is loaded, which takes a moment: whoever waits sees at once that it has begun.
      if (sayFirst !== undefined && (options as { readonly quiet?: boolean }).quiet !== true) invocation.output.say(`${sayFirst(args)}\n`)
      code = await (await load())(args, options, { ...invocation, program: runProgram })
    })
  }
  addRunning(program, on)
  addReading(program, on)
  addWorld(program, on)
  addTrials(program, on)
  addCompletion(program, on)
  addHelp(program)
  const unknown = unknownCommand(program, argv)
  if (unknown !== undefined) {
    invocation.output.say(`error: unknown command ${JSON.stringify(oneLine(unknown))}\n${await nearCommand(program, unknown, invocation.output.columns)}\n`)
    return exit.usage
  }
  try {
    await program.parseAsync([...argv], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    // Help and version end by such an error too, with exit code 0.
    return error.exitCode === 0 || error.code === 'commander.helpDisplayed' ? exit.done : exit.usage
  }
  return code
}

/** Asked for help, commander takes a word that is no command of its own for none at all. */
function unknownCommand(program: Command, argv: readonly string[]): string | undefined {
  // No option of the program itself takes a value.
  const [word, of] = argv.filter((one) => !one.startsWith('-'))
  const name = word === 'help' ? of : word
  return name === undefined || program.commands.some((command) => command.name() === name) ? undefined : name
}

async function nearCommand(program: Command, unknown: string, columns: number): Promise<string> {
  const { suggestion } = await import('../runbook/near.js')
  const near = suggestion(unknown, program.commands.filter((command) => !hidden.includes(command.name())).map((command) => command.name()), 'commands')
  return wrap(`${near.charAt(0).toUpperCase()}${near.slice(1)}`, columns - 1).join('\n')
}

/** What only the completion scripts call, and what only trials do. */
const hidden = ['complete', 'gameday-life', 'trial-worker']

const schemaHelp = `
In the first line of the runbook:

  # yaml-language-server: $schema=./runbook.schema.json`

/** `sayFirst`: what is said to people before anything else. */
type On = (command: Command, load: () => Promise<Action>, sayFirst?: (args: readonly string[]) => string) => void

const readingFiles = (files: readonly string[]): string => `Reading ${files.map(oneLine).join(', ')}…`
const readingOrDrawing = (files: readonly string[]): string => (files.length === 0 ? 'Each seed draws its site…' : readingFiles(files))
const readingRun = ([run]: readonly string[]): string => (run === undefined ? 'Reading the runs…' : `Reading run ${oneLine(run)}…`)

function addReading(program: Command, on: On): void {
  const validate = program.command('validate <runbook...>').description('check a runbook without any network')
  on(withOutput(validate), async () => (await import('./validate.js')).validate, readingFiles)

  const schema = program.command('schema [runbook]').description('the JSON Schema of runbooks, for editors')
  schema.addHelpText('after', schemaHelp)
  on(withOutput(schema), async () => (await import('./schema.js')).schema)

  const plan = program.command('plan <runbook>').description('dry run: show what a failover would change; reads only')
  plan
    .option('--detailed-exitcode', 'exit 10 if there are changes')
    .option('--out <file>', 'write the plan there, for run --plan')
  on(withAccept(withState(withCloud(withOutput(plan)))), async () => (await import('./plan.js')).plan, readingFiles)

  const status = program.command('status [run]').description('where a run stands, in ten lines; without RUN the latest')
  status.option('-f, --follow', 'show it live, as its own terminal does; reads only')
  on(withState(withOutput(status)), async () => (await import('./status.js')).status, readingRun)

  const report = program.command('report [run]').description('how well the plan of a run foretold what it did (--fidelity); without RUN the latest')
  report.option('--fidelity', 'what the plan predicted of its writes, beside what was sent')
  on(withState(withOutput(report)), async () => (await import('./report.js')).report, readingRun)

  const runs = program.command('runs').description('all runs')
  on(withState(withOutput(runs)), async () => (await import('./status.js')).runs, () => 'Reading the runs…')
}

function addRunning(program: Command, on: On): void {
  const run = program.command('run <runbook>').description('the failover')
  run
    .option('--dry-run', 'the same as plan; with --plan, whether that file still shows all')
    .option('--plan <file>', 'run what this file of plan --out shows, and nothing else')
    .option('--confirm <name>', "the runbook's name, instead of typing it")
    .option('--fresh', 'begin a new run though an earlier one is not finished')
  on(withAccept(withConsent(withState(withCloud(withOutput(run))))), async () => (await import('./run.js')).run, readingFiles)

  const resume = program.command('resume [run]').description('go on after a failure, a crash or a stop')
  resume.option('--accept-changes', 'go on though the runbook or its files have changed')
  on(withAccept(withConsent(withState(withOutput(resume)))), async () => (await import('./resume.js')).resume, readingRun)

  const undo = program.command('undo [run]').description('put back what a run changed, as far as it can be put back')
  undo
    .option('--dry-run', 'show what would be put back, and do nothing')
    .option('--confirm <name>', "the runbook's name, instead of typing it")
    .option('--accept-changes', 'go on though the runbook or its files have changed, or another run has worked there since')
  on(withConsentBack(withState(withOutput(undo))), async () => (await import('./undo.js')).undo, readingRun)

  const rehearse = program
    .command('rehearse <runbook>')
    .description('the whole failover in a simulated world; nothing real is touched')
  on(withAccept(withWorld(withConsent(withState(withOutput(rehearse))))), async () => (await import('./rehearse.js')).rehearse, readingFiles)
}

function addWorld(program: Command, on: On): void {
  const sim = program.command('sim').description('serve a simulated world to any client')
  sim
    .requiredOption('--world <file>', 'starting state')
    .option('--speed <n>', 'how many times as fast the world runs', positive, 30)
    .option('--port <p>', 'port of its Azure Resource Manager', whole(0, 65_535), 0)
    .option('--access-log <file>', 'write every request there, as NDJSON')
    .option('--lab', 'its NFS hosts are real machines (QEMU) with real ZFS; use a --speed of 10 or less')
    .addOption(new Option('--held', 'for rehearse: end with whoever has started it, until told otherwise').hideHelp())
  on(withState(sim), async () => (await import('./sim.js')).sim)
}

/** A whole number, for commander: digits alone. Of `0x10`, `1e3` or nothing at all `Number` makes one, too. */
const whole = (least: number, most = Infinity) => (text: string): number => {
  const value = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least && value <= most) return value
  throw new InvalidArgumentError(`It must be a whole number, ${most === Infinity ? `${least} or more` : `from ${least} to ${most}`}.`)
}

function addTrials(program: Command, on: On): void {
  const crash = program.command('crash-test <runbook>').description('kill a failover at every point, in a world of its own, and see it go on')
  crash
    .option('--every <n>', 'try one point of so many', whole(1), 1)
    .option('--from <n>', 'of those the n-th is the first', whole(1), 1)
    .option('--undo', 'the way back from a failover, instead of the failover')
    .addOption(new Option('--by <how>', 'what befalls it there').choices(['kill', 'sigterm', 'sigint', 'full-disk', 'torn']).default('kill'))
    .option('--twice', 'kill the life that goes on as well, at a point that is drawn')
    .option('--point <place>', 'this point alone, as it is told of one that went wrong: 812-before')
    .option('--then <place>', 'with --point: where the life that goes on is killed')
    .option('--world <file>', "world to play in; without it, the runbook's own")
  on(withOutput(crash), async () => (await import('./crash-test.js')).crashTest, readingFiles)

  const simulate = program.command('simulate [runbook...]')
  simulate.description('failovers in bad weather, each out of a seed, in worlds of their own; without a runbook at sites that seeds draw')
  simulate.option('--seeds <n>', 'how many', whole(1), 20).option('--from <n>', 'the first one', whole(0, mostSeed), 0).option('--fail-fast', 'end with the first that goes wrong')
  on(withOutput(simulate), async () => (await import('./simulate.js')).simulateSeeds, readingOrDrawing)

  const gameday = program.command('gameday <scenario...>').description('scripted faults in a world of their own, with a scorecard')
  gameday
    .option('--seed <n>', 'instead of the seed that each scenario states', whole(0, mostSeed))
    .option('--junit <file>', 'write the verdicts there, as JUnit XML')
    .option('--real', 'with processes, helm and ssh of this machine instead of virtual time; promises the verdict, not the times')
    .option('--speed <n>', 'with --real: how many times as fast the world runs, instead of what each scenario states', whole(1))
  on(withOutput(gameday), async () => (await import('./gameday.js')).gameday, readingFiles)

  on(program.command('gameday-life', { hidden: true }), async () => (await import('./gameday-life.js')).gamedayLife)
  on(program.command('trial-worker', { hidden: true }), async () => (await import('./trial-worker.js')).trialWorker)
}

function addCompletion(program: Command, on: On): void {
  const completion = program.command('completion').description('a script for the shell: commands, options and runs by the Tab key')
  completion.addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
  on(completion, async () => (await import('./completion.js')).completion)

  // What the scripts ask, with the words of the line so far; the last one is still being typed.
  const complete = program.command('complete [words...]', { hidden: true })
  on(complete, async () => {
    const { candidates } = await import('./completion.js')
    return async (words, _options: never, invocation) => {
      invocation.output.data((await candidates(program, words, invocation)).map((one) => `${one}\n`).join(''))
      return exit.done
    }
  })
}
