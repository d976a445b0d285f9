import type { Host } from '../world/model.js'
import type { Shell, ShellResult } from '../world/shell.js'
import type { World } from '../world/world.js'
import { basics } from './basics.js'
import { type Call, failed, isAlive, isReady, killed, type Program } from './call.js'
import { expand, look, seedFiles, write } from './files.js'
import { nfs } from './nfs.js'
import { type Command, parseScript, type Pipeline, ShellSyntaxError } from './parse.js'
import { system } from './system.js'
import { wrappers } from './wrappers.js'
import { zfs } from './zfs.js'
import { zpool } from './zpool.js'

/** What comes with the packages that cloud-init installs: before that, a shell does not find it. */
const packaged: Readonly<Record<string, Program>> = { zpool, zfs, ...nfs }
const always: Readonly<Record<string, Program>> = { ...basics, ...system, ...wrappers }

export interface Session {
  readonly user: string
  readonly stdin: () => Promise<string>
}

/** Runs a command line on a host, as its login shell does. Never rejects for what the line says: a shell answers. */
export async function runOnHost(world: World, host: Host, session: Session, line: string): Promise<ShellResult> {
  seedFiles(world, host)
  const call: Call = {
    world,
    host,
    user: session.user,
    boot: host.sshFromMs,
    stdin: session.stdin,
    run: (words, change) => runWords({ ...call, ...change }, words),
    script: (text) => runScript(call, text),
  }
  return runScript(call, line)
}

/** `runCommand`: the same shell as root, without standard input. */
export function hostShell(world: World): Shell {
  return async (machine, script) => {
    const host = world.host(machine)
    if (!host) return failed(255, 'no operating system')
    return runOnHost(world, host, { user: 'root', stdin: () => Promise.resolve('') }, script)
  }
}

async function runScript(call: Call, text: string): Promise<ShellResult> {
  let pipelines: Pipeline[]
  try {
    pipelines = parseScript(text)
  } catch (error) {
    if (error instanceof ShellSyntaxError) return failed(2, `sh: 1: Syntax error: ${error.message}`)
    throw error
  }
  let last: ShellResult = { exitCode: 0, stdout: '', stderr: '' }
  let stdout = ''
  let stderr = ''
  let strict = false
  for (const [at, pipeline] of pipelines.entries()) {
    if (pipeline.after === '&&' && last.exitCode !== 0) continue
    if (pipeline.after === '||' && last.exitCode === 0) continue
    const [name, option] = pipeline.commands[0]?.words.map((word) => word.text) ?? []
    if (name === 'set' && /^-[eux]+$/.test(option ?? '')) {
      strict ||= option?.includes('e') === true
      continue
    }
    if (name === 'exit') return { exitCode: Number(option ?? last.exitCode), stdout, stderr }
    last = await runPipeline(call, pipeline)
    if (!isAlive(call)) return killed
    stdout += last.stdout
    stderr += last.stderr
    const next = pipelines[at + 1]?.after ?? ';'
    if (strict && last.exitCode !== 0 && next === ';' && !pipeline.negated) break
  }
  return { exitCode: last.exitCode, stdout, stderr }
}

async function runPipeline(call: Call, pipeline: Pipeline): Promise<ShellResult> {
  let result: ShellResult = { exitCode: 0, stdout: '', stderr: '' }
  let stderr = ''
  for (const [at, command] of pipeline.commands.entries()) {
    const before = result.stdout
    const fed: Call = at === 0 ? call : withRun({ ...call, stdin: () => Promise.resolve(before) })
    result = await runCommand(fed, command)
    stderr += result.stderr
  }
  const exitCode = pipeline.negated ? (result.exitCode === 0 ? 1 : 0) : result.exitCode
  return { exitCode, stdout: result.stdout, stderr }
}

/** A changed call whose programs start others with the change in force. */
function withRun(call: Call): Call {
  const changed: Call = {
    ...call,
    run: (words, change) => runWords(change ? { ...changed, ...change } : changed, words),
    script: (text) => runScript(changed, text),
  }
  return changed
}

async function runCommand(call: Call, command: Command): Promise<ShellResult> {
  const words = command.words.flatMap((word) => (word.pattern ? expand(call, word.text, word.pattern) : word.text))
  const inputs = command.redirects.filter((redirect) => redirect.how === 'read')
  let fed = call
  for (const { target } of inputs) {
    const found = look(call, target.text)
    if (found?.kind !== 'file') return failed(2, `sh: 1: cannot open ${target.text}: No such file`)
    fed = withRun({ ...call, stdin: () => Promise.resolve(found.text) })
  }
  const outputs = command.redirects.filter((redirect) => redirect.how !== 'read')
  for (const { how, target } of outputs) {
    // The shell opens what it writes to before the command runs, with the shell's own rights.
    const refused = how === 'duplicate' ? undefined : write(call, target.text, '', how === 'append')
    if (refused !== undefined) return failed(2, `sh: 1: cannot create ${target.text}: ${refused}`)
  }
  const result = words.length === 0 ? { exitCode: 0, stdout: '', stderr: '' } : await runWords(fed, words)
  return redirected(call, result, outputs)
}

function redirected(call: Call, result: ShellResult, outputs: Command['redirects']): ShellResult {
  const places: Record<1 | 2, string | 1 | 2> = { 1: 1, 2: 2 }
  for (const { descriptor, how, target } of outputs) {
    if (descriptor === 0) continue
    places[descriptor] = how === 'duplicate' ? places[Number(target.text) as 1 | 2] : target.text
  }
  const out = { stdout: '', stderr: '' }
  for (const [place, text] of [[places[1], result.stdout], [places[2], result.stderr]] as const) {
    if (place === 1) out.stdout += text
    else if (place === 2) out.stderr += text
    else write(call, place, text, true)
  }
  return { exitCode: result.exitCode, ...out }
}

async function runWords(given: Call, words: readonly string[]): Promise<ShellResult> {
  const call = withRun(given)
  const [name = '', ...args] = words
  const short = /^(\/usr)?(\/local)?\/s?bin\/([^/]+)$/.exec(name)?.[3] ?? name
  const program = Object.hasOwn(always, short)
    ? always[short]
    : Object.hasOwn(packaged, short) && isReady(call) ? packaged[short] : undefined
  if (!program) return failed(127, `sh: 1: ${name}: not found`)
  return program(args, call)
}
