import type { Command } from 'commander'

/** A command line, and what it is for. */
type Example = readonly [line: string, what: string]

const runbook = 'runbooks/data100.yaml'

/** By group of commands, examples of each command. */
const groups: Readonly<Record<string, Readonly<Record<string, readonly Example[]>>>> = {
  'Before an incident:': {
    validate: [[`lifeboat validate ${runbook}`, 'is the file right? No network needed']],
    plan: [
      [`lifeboat plan ${runbook}`, 'what would change? Reads only'],
      [`lifeboat plan ${runbook} --out plan.json`, 'keep it, for: lifeboat run RUNBOOK --plan plan.json'],
      [`lifeboat plan ${runbook} --detailed-exitcode`, 'for scripts: exit code 10 if there are changes'],
    ],
    rehearse: [
      [`lifeboat rehearse ${runbook}`, 'a rehearsal; nothing real is touched'],
      [`lifeboat rehearse ${runbook} --yes --speed 60`, 'without asking (as always where there is no terminal)'],
    ],
    schema: [
      ['lifeboat schema > runbook.schema.json', 'what an editor needs to check a runbook while it is written'],
      [`lifeboat schema ${runbook}`, "with the site's own modules that it names"],
    ],
  },
  'In an incident:': {
    run: [
      [`lifeboat run ${runbook}`, 'the failover; asks before it begins'],
      [`lifeboat run ${runbook} --plan plan.json`, 'only if it still does what that plan shows'],
      [`lifeboat run ${runbook} --confirm=data100 --yes`, 'without anybody at the terminal'],
    ],
    resume: [
      ['lifeboat resume', 'go on after a failure or a crash'],
      ['lifeboat resume --accept move=attach-across-groups', 'the other way that a failed step offers'],
    ],
    undo: [
      ['lifeboat undo --dry-run', 'what would be put back'],
      ['lifeboat undo', 'put it back; asks before it begins'],
    ],
    status: [
      ['lifeboat status', 'where the latest run stands'],
      ['lifeboat status --follow', 'live, from a second terminal; reads only'],
    ],
    runs: [['lifeboat runs', 'all runs, latest first']],
    report: [
      ['lifeboat report --fidelity', 'what the plan of the latest run said it would write, beside what was sent'],
      ['lifeboat report --fidelity --json', 'the same as data'],
    ],
  },
  'To trust it:': {
    'crash-test': [
      [`lifeboat crash-test ${runbook}`, 'killed at every journal record and every remote call'],
      [`lifeboat crash-test ${runbook} --every 20`, 'a sample of them'],
      [`lifeboat crash-test ${runbook} --every 20 --twice`, 'and killed once more while it goes on'],
      [`lifeboat crash-test ${runbook} --every 20 --undo`, 'the way back instead'],
      [`lifeboat crash-test ${runbook} --by full-disk`, 'a disk without room for the journal'],
    ],
    simulate: [
      [`lifeboat simulate ${runbook} --seeds 100`, 'lost replies, failing operations, silent hosts, kills'],
      ['lifeboat simulate --seeds 1000', 'the same at sites that the seeds draw'],
    ],
    gameday: [
      ['lifeboat gameday fixtures/gamedays/*.yaml', 'all the scenarios that come with it'],
      ['lifeboat gameday mine.yaml --real', 'with the real programs of this machine; its times are not promised'],
      ['lifeboat gameday mine.yaml --junit gameday.xml', 'one of your own, for a CI that reads JUnit'],
    ],
  },
  'Besides:': {
    sim: [['lifeboat sim --world fixtures/worlds/data100.yaml', 'a simulated world, for any client']],
    completion: [
      ['source <(lifeboat completion bash)', 'in ~/.bashrc: commands, options and runs by the Tab key'],
      ['source <(lifeboat completion zsh)', 'in ~/.zshrc, after compinit'],
      ['lifeboat completion fish > ~/.config/fish/completions/lifeboat.fish', 'once'],
    ],
  },
}

/** Those of which the program's own help has an example. */
const first = ['validate', 'rehearse', 'plan', 'run', 'status', 'resume', 'undo']

const exitCodes = `
Exit codes: 0 done · 1 a step failed · 2 wrong usage or runbook · 3 declined ·
4 not ready, nothing changed · 5 another run is at work · 10 there are changes
(--detailed-exitcode) · 130, 143, 129 interrupted. After 1 and 1xx:
lifeboat resume`

/** Examples first, in the help of the program and of each command; commands by when they are needed. */
export function addHelp(program: Command): void {
  const examples = new Map(Object.values(groups).flatMap((group) => Object.entries(group)))
  for (const [heading, group] of Object.entries(groups)) {
    for (const command of program.commands) if (command.name() in group) command.helpGroup(heading)
  }
  for (const command of program.commands) {
    const own = examples.get(command.name())
    if (own !== undefined) command.addHelpText('before', headed(own))
  }
  const few = first.flatMap((name) => examples.get(name)?.slice(0, 1) ?? [])
  program.addHelpText('before', headed(few)).addHelpText('after', exitCodes)
}

function headed(examples: readonly Example[]): string {
  return `${['Examples:', ...linesOf(examples)].join('\n')}\n`
}

/** What it is for stands beside a line that leaves room for it in a window of 80 columns, and above any other. */
function linesOf(examples: readonly Example[]): string[] {
  const width = Math.max(...examples.map(([line]) => line.length))
  const beside = examples.every(([, what]) => 2 + width + 2 + what.length < 80)
  return examples.flatMap(([line, what]) => (beside ? [`  ${line.padEnd(width)}  ${what}`] : [`  # ${what}`, `  ${line}`]))
}
