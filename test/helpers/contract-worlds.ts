import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadSiteModules } from '../../src/cli/site-modules.js'
import { LifeboatError, type AnyStep, type Clock } from '../../src/contract/index.js'
import { clockOf } from '../../src/platform/clock/clock.js'
import { openCommands } from '../../src/platform/command/command.js'
import type { Platform } from '../../src/platform/platform.js'
import { hostLock, type SshDoor } from '../../src/platform/ssh/door.js'
import { inTurn, quoteWords } from '../../src/platform/ssh/quote.js'
import { changes } from '../../src/sim/hosts/judge.js'
import { runOnHost } from '../../src/sim/hosts/shell.js'
import { azureWorld, type AzureWorld } from './azure.js'
import { temporaryFolder } from './cli.js'
import { execFor } from './doors.js'
import { kubeServer } from './kube-server.js'
import { anyRequestOf } from './requests.js'
import type { Contracted } from './step-contract.js'
import { Driven } from './steps.js'
import type { TestWorld } from './world.js'
import { worldWrites } from './world-writes.js'

type Module = AnyStep<Platform>
type Given = Readonly<Record<string, unknown>>

/** The world of data100 as `prepare` has changed it, with its hosts' shells behind the SSH door and virtual time all over. */
export async function inAzure(
  module: Module,
  prepare: (world: AzureWorld) => Given | Promise<Given>,
  bringAbout?: (world: AzureWorld) => Promise<void>,
): Promise<Contracted> {
  const own = await azureWorld()
  const during = <T>(work: Promise<T>): Promise<T> => passing(own.test, work)
  const doors: Platform = { ...own.doors, ssh: shellSsh(own) }
  const world: AzureWorld = { ...own, doors, driven: (step, given) => new Driven(step, doors, own.clock, given) }
  const inputs = await during(Promise.resolve(prepare(world)))
  return {
    ...{ module, inputs, during, doors, clock: own.clock },
    sent: () => worldWrites(own.test.world.requests),
    writes: () => own.test.world.requests.filter(({ writes }) => writes).map(({ method, path }) => `${method} ${path}`),
    ...(bringAbout === undefined ? {} : { bringAbout: async () => void (await during(bringAbout(world))) }),
    close: async () => void (await own[Symbol.asyncDispose]()),
  }
}

/** Time passes while something works that waits for the world and does not sleep: a call that is answered when it is over. */
async function passing<T>(test: TestWorld, work: Promise<T>): Promise<T> {
  const state = { done: false }
  const finished = work.finally(() => (state.done = true))
  finished.catch(() => undefined)
  for (let turn = 1; !state.done; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve))
    // What is under way on loopback goes first.
    if (turn % 50 === 0) test.clock.advance(1000)
  }
  return finished
}

/** SSH without a connection: the host's own shell, by the machine's id. The real client has tests of its own. */
function shellSsh({ test, doors }: AzureWorld): SshDoor {
  const { world } = test
  const run: SshDoor['read'] = async ({ machine, user }, command, { input = '' } = {}) => {
    const host = world.host(machine)
    if (host === undefined || !world.answers(machine)) throw new LifeboatError('ssh.unreachable', 'connection refused', { retry: {} })
    if (host.user !== user) throw new LifeboatError('ssh.denied', 'permission denied', { blame: 'user' })
    const line = quoteWords(command)
    const result = await passing(test, runOnHost(world, host, { user, stdin: () => Promise.resolve(input) }, line))
    world.log({ door: 'ssh', method: 'EXEC', path: line, status: result.exitCode, writes: changes(line) })
    return result
  }
  return { ...doors.ssh, read: run, write: (host, commands, wish) => run(host, ['sudo', '-n', 'flock', '-w', '60', hostLock, ...inTurn(commands)], wish) }
}

/** A cluster's API on loopback, with the real helm and kubectl. No resource manager serves it: its azure door knows the cluster alone. */
export async function onCluster(
  module: Module,
  inputs: Given,
  bringAbout?: (doors: Platform) => Promise<void>,
): Promise<Contracted> {
  const server = await kubeServer()
  const writes = (): string[] => server.requests.filter(({ writes }) => writes).map(({ method, path }) => `${method} ${path}`)
  const { helm, kube } = server.doors()
  const azure = { clusters: { get: async () => ({ provisioningState: 'Succeeded', kubernetesVersion: '1.33.2' }) } }
  const clock = fastClock()
  const doors = { ...anyRequestOf<Platform>(['ssh', 'dns', 'http', 'command']), ...{ helm, kube, azure, clock } } as unknown as Platform
  return {
    ...{ module, inputs, doors, clock, writes },
    sent: () => worldWrites(server.requests),
    ...(bringAbout === undefined ? {} : { bringAbout: () => bringAbout(doors) }),
    close: () => server[Symbol.asyncDispose](),
  }
}

/** Sixty times as fast as the machine's, as `kubeServer` is. */
function fastClock(): Clock {
  const now = new Date().toISOString()
  return clockOf({ clock: { real: now, world: now, rate: 60 } })
}

/** Two shell scripts as commands of a site's own, about a file that is there or not. */
export async function withCommands(module: Module, inputsOf: (folder: string) => Given): Promise<Contracted> {
  const folder = temporaryFolder()
  const log = join(folder, 'writes')
  writeFileSync(log, '')
  const program = (name: string, text: string): void => {
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`)
    chmodSync(join(folder, name), 0o755)
  }
  program('is-there', 'test -e announced && echo \'{"said":"yes"}\' || exit 10')
  program('announce', 'echo announce >> writes; touch announced')
  program('withdraw', 'echo withdraw >> writes; rm announced')
  const clock = fastClock()
  const { exec } = execFor(undefined, clock)
  const command = openCommands({ exec, cloud: {}, folder, path: process.env['PATH'] ?? '', env: {} })
  const doors = { ...anyRequestOf<Platform>(['azure', 'ssh', 'helm', 'kube', 'dns', 'http']), command, clock } as Platform
  return {
    ...{ module, doors, clock, inputs: inputsOf(folder) },
    sent: () => linesIn(log).map((name) => ({ command: `./${name}` })),
    writes: () => linesIn(log),
    close: async () => rmSync(folder, { recursive: true }),
  }
}

function linesIn(path: string): string[] {
  return readFileSync(path, 'utf8').split('\n').filter((line) => line !== '')
}

/** A module of a site's own that looks after one file, and reads it without any door: see `announce.mjs` in `runbooks/minimal`. */
export async function aboutFile(path: string, inputsOf: (file: string) => Given): Promise<Contracted> {
  const { modules, broken } = await loadSiteModules([{ uses: './own.mjs', path }])
  const module = modules.get('./own.mjs')
  if (module === undefined) throw new TypeError(broken.get('./own.mjs')?.message ?? 'no module')
  const folder = temporaryFolder()
  const file = join(folder, 'own.json')
  const read = (): string => (existsSync(file) ? readFileSync(file, 'utf8') : '')
  const written: string[] = []
  let last = read()
  const clock = fastClock()
  const doors = { ...anyRequestOf<Platform>(['azure', 'ssh', 'helm', 'kube', 'dns', 'http', 'command']), clock } as Platform
  /** A folder in its place can be read by nobody. */
  const unreadable = async (): Promise<() => Promise<void>> => {
    const there = existsSync(file)
    if (there) renameSync(file, `${file}.away`)
    mkdirSync(file)
    return async () => {
      rmdirSync(file)
      if (there) renameSync(`${file}.away`, file)
    }
  }
  return {
    ...{ module, doors, clock, inputs: inputsOf(file) },
    sent: () => [],
    faults: { 'its file cannot be read': unreadable },
    writes: () => {
      if (read() !== last) written.push(file)
      last = read()
      return [...written]
    },
    close: async () => rmSync(folder, { recursive: true }),
  }
}
