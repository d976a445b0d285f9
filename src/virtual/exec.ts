import { basename } from 'node:path'
import type { Command, Exec, ExecOptions } from '../platform/exec/command.js'
import { mostOutputBytes } from '../platform/exec/output.js'
import { Runner } from '../platform/exec/runner.js'
import type { Ending, Held, Running, Said, Starter } from '../platform/exec/starter.js'
import { stepAtWork } from '../platform/log/step.js'
import type { Child } from '../platform/scope.js'
import type { ProgramMoment } from '../sim/world/model.js'
import type { Gate, RemoteCall } from './gate.js'
import type { Life, Machine } from './machine.js'
import type { ProcessEnd, VirtualProcess } from './process.js'
import { failed, type Program } from './programs/program.js'
import { noTrouble, type ProgramTrouble, type Trouble } from './trouble.js'

export interface VirtualExecOptions {
  readonly machine: Machine
  /** Whose children these are. */
  readonly life: Pick<Life, 'pid'>
  readonly gate: Gate
  /** By the name of the file that is run. */
  readonly programs: Readonly<Record<string, Program>>
  /** What any other file is as a program; undefined: it is missing. */
  readonly otherwise?: (file: string) => Program | undefined
  /** Asked of each program when it begins to work. */
  readonly trouble?: Trouble
  /** Told when one begins to work, and when it has ended with an answer. */
  readonly told?: (moment: ProgramMoment) => void
}

/** Runs models of programs as processes of a modelled machine, with the promises that real ones have. */
export function openVirtualExec(given: VirtualExecOptions): (options: ExecOptions) => Exec {
  return (options) => new Runner(options, starterOn(given, options))
}

function starterOn(given: VirtualExecOptions, { path, site, secrets }: ExecOptions): Starter {
  const { machine, life, gate, programs, otherwise, trouble = noTrouble, told } = given
  const programOf = (file: string): Program | undefined => {
    const name = basename(file)
    return Object.hasOwn(programs, name) ? programs[name] : otherwise?.(file)
  }

  const isAlive = (): boolean => machine.has(life.pid)

  function start(command: Command, mark?: { readonly site: string; readonly survivor: Child['survivor'] }): VirtualProcess {
    return machine.start({ command: saidOf(command, secrets), parent: life.pid, by: stepAtWork(), ...(mark === undefined ? {} : { mark }) })
  }

  function tell({ facts: { started, by = 'site' }, state, ended }: VirtualProcess, { what, writes }: RemoteCall): void {
    if (told === undefined || state !== 'held') return
    const facts = { program: started, by, what, writes, ...(gate.name !== undefined && { life: gate.name }) }
    told({ when: 'begins', ...facts })
    // A signal ends it without one, ssh says 255 where it is the connection that has ended, and the dead hear nothing.
    const hear = ({ exitCode = 255, stderr }: ProcessEnd): void => {
      if (exitCode !== 255 && isAlive()) told({ when: 'answered', ...facts, end: { exitCode, stderr } })
    }
    ended.then(hear, () => undefined)
  }

  /** Lets a process work once the gate lets it through; its end comes back by the gate. */
  function work(process: VirtualProcess, command: Command): Promise<ProcessEnd> {
    const { file, args, env, cwd, input = '' } = command
    const call: RemoteCall = { door: 'exec', what: saidOf(command, secrets), writes: command.survivor !== undefined }
    return gate.through(call, () => {
      const program = programOf(file)
      tell(process, call)
      if (program !== undefined) process.letGo(program, args, { env: { PATH: path, LC_ALL: 'C', ...env }, cwd, stdin: input })
      befall(process, trouble.onProgram?.(basename(file)))
      return process.ended
    })
  }

  return {
    host: machine.host,
    // Nobody is there any more to hear it.
    startOf: (pid) => (isAlive() ? machine.startOf(pid) : new Promise(() => undefined)),
    signalGroup: machine.signalGroup,
    canRun: async (file) => programOf(file) !== undefined,
    startReader(command) {
      const process = start(command)
      return running(process, work(process, command).then(endingOf))
    },
    async startHeld(command, survivor): Promise<Held> {
      const process = start(command, { site, survivor })
      let letGo: () => void = () => undefined
      const child = new Promise<Ending>((resolve, reject) => {
        letGo = () => void work(process, command).then((end) => resolve(endingOf(end)), reject)
        // One that ends before that has been killed; afterwards its end comes by the gate, or not at all.
        process.ended.then((end) => process.wasLetGo || !isAlive() || resolve(endingOf(end)), reject)
      })
      return { child: running(process, child), output: saidBy(process), letGo }
    },
  }
}

/** What ssh says when its connection breaks. */
const connectionLost = 'client_loop: send disconnect: Broken pipe'

function befall(process: VirtualProcess, met: ProgramTrouble | undefined): void {
  if (met === undefined) return
  process.clock.schedule(met.afterMs, () => {
    if (process.state !== 'running' || met.strikes?.() === false) return
    if (met.kind === 'killed') process.signal('SIGKILL')
    else process.breakOff(failed(255, connectionLost))
  })
}

function running(process: VirtualProcess, ending: Promise<Ending>): Running {
  return Object.assign(ending, { pid: process.facts.pid })
}

function endingOf({ exitCode, signal, stdout, stderr }: ProcessEnd): Ending {
  return { exitCode, signal, stdout, stderr, isMaxBuffer: stdout.length > mostOutputBytes }
}

function saidBy(process: VirtualProcess): Said {
  return {
    read: async (endBytes) => {
      const { stdout, stderr } = process.said
      return endBytes === undefined ? { stdout, stderr } : { stdout: endOf(stdout, endBytes), stderr: endOf(stderr, endBytes) }
    },
    remove: async () => undefined,
  }
}

/** As of a file that is read from its end: the first line is cut somewhere, and left out. */
function endOf(text: string, bytes: number): string {
  const whole = Buffer.from(text)
  return whole.length <= bytes ? text : whole.subarray(-bytes).toString('utf8').split('\n').slice(1).join('\n')
}

/** The command, without names that are other ones each time: those in the run's private folder. */
function saidOf({ file, args, say }: Command, secrets: string): string {
  const words = (say ?? [basename(file), ...args].join(' ')).split(' ')
  return words.map((word) => (word.includes(secrets) ? '…' : word)).join(' ')
}
