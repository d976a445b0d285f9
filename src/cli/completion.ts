import type { Command, Option } from 'commander'
import type { StateFolder } from '../journal/index.js'
import { exit } from './exit.js'
import type { Invocation } from './invocation.js'
import { stateFolder } from './state.js'

/** Instead of a candidate: the shell completes names of files itself. */
const files = ':files'

const scripts: Readonly<Record<string, string>> = {
  bash: `# lifeboat: completion for bash. In ~/.bashrc: source <(lifeboat completion bash)
_lifeboat() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    if [ "$line" = '${files}' ]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}")
    else
      COMPREPLY+=("$line")
    fi
  done < <("$1" complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _lifeboat lifeboat
`,
  zsh: `#compdef lifeboat
# lifeboat: completion for zsh. In ~/.zshrc, after compinit: source <(lifeboat completion zsh)
_lifeboat() {
  local line
  local -a found
  while IFS= read -r line; do
    if [[ "$line" == '${files}' ]]; then _files; else found+=("$line"); fi
  done < <("\${words[1]}" complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  (( \${#found} )) && compadd -a found
}
compdef _lifeboat lifeboat
`,
  fish: `# lifeboat: completion for fish. lifeboat completion fish > ~/.config/fish/completions/lifeboat.fish
function __lifeboat_candidates
  set -l words (commandline -opc) (commandline -ct)
  for line in ($words[1] complete -- $words[2..-1] 2>/dev/null)
    if test "$line" = '${files}'
      __fish_complete_path (commandline -ct)
    else
      echo $line
    end
  end
end
complete -c lifeboat -f -a '(__lifeboat_candidates)'
`,
}

/** `lifeboat completion SHELL`: the script on standard output. */
export function completion(args: readonly string[], _options: never, { output }: Invocation): Promise<number> {
  output.data(scripts[args[0] ?? ''] ?? '')
  return Promise.resolve(exit.done)
}

/**
 * What the last of `words` may become: read from commander's own tree, so that nothing is listed twice. Runs come from the state
 * folder that the line itself names.
 */
export async function candidates(program: Command, words: readonly string[], invocation: Pick<Invocation, 'env'>): Promise<readonly string[]> {
  const partial = words.at(-1) ?? ''
  const before = words.slice(0, -1)
  const at = before.findIndex((word) => !word.startsWith('-'))
  const help = program.createHelp()
  const starting = (all: readonly string[]): string[] => all.filter((one) => one === files || one.startsWith(partial))
  if (at === -1) return starting(partial.startsWith('-') ? optionsOf(program) : help.visibleCommands(program).map((one) => one.name()))
  const command = program.commands.find((one) => one.name() === before[at])
  if (command === undefined) return []
  const rest = before.slice(at + 1)
  const awaiting = valueAwaited(command, rest)
  if (awaiting !== undefined) return isPath(awaiting) ? [files] : starting(awaiting.argChoices ?? [])
  if (partial.startsWith('-')) return starting(optionsOf(command).filter((flag) => !rest.includes(flag)))
  return starting(await argumentsOf(command, rest, invocation))
}

function optionsOf(command: Command): string[] {
  const own = command.createHelp().visibleOptions(command)
  return own.flatMap(({ long }) => (typeof long === 'string' ? [long] : []))
}

/** The option whose value is being typed. */
function valueAwaited(command: Command, words: readonly string[]): Option | undefined {
  const last = words.at(-1)
  if (last === undefined) return undefined
  return command.options.find((option) => (option.long === last || option.short === last) && option.required)
}

function isPath({ flags }: Option): boolean {
  return /<(file|dir)>/.test(flags)
}

async function argumentsOf(command: Command, words: readonly string[], invocation: Pick<Invocation, 'env'>): Promise<readonly string[]> {
  const given = words.filter((word, index) => !word.startsWith('-') && valueAwaited(command, words.slice(0, index)) === undefined)
  const expected = command.registeredArguments.at(Math.min(given.length, command.registeredArguments.length - 1))
  if (expected === undefined || (given.length >= command.registeredArguments.length && !expected.variadic)) return []
  if (expected.argChoices !== undefined) return expected.argChoices
  if (expected.name() !== 'run') return [files]
  const named = words[words.indexOf('--state-dir') + 1]
  const stateDir = words.includes('--state-dir') && named !== undefined ? { stateDir: named } : {}
  return runsFor(command.name(), stateFolder(stateDir, invocation)).catch(() => [])
}

/** Those that the command can do something with. */
async function runsFor(command: string, folder: StateFolder): Promise<readonly string[]> {
  if (command !== 'resume' && command !== 'undo') return folder.ids()
  const { resumable, undoable } = await import('./unfinished.js')
  const can = await (command === 'resume' ? resumable(folder) : undoable(folder))
  return can.map(({ run }) => run)
}
