import { LifeboatError } from '../contract/index.js'
import { exit, exitOfSignal } from './exit.js'
import { guarded } from './guard.js'
import { letGo } from './held.js'
import type { CommonOptions } from './options.js'
import type { Invocation } from './invocation.js'
import { worldFolder, writableStateFolder } from './state.js'

interface SimOptions extends CommonOptions {
  readonly world: string
  readonly speed: number
  readonly port: number
  readonly accessLog?: string
  readonly lab?: boolean
  /** It ends with whoever has started it, until that says otherwise on standard input. */
  readonly held?: boolean
}

/** `lifeboat sim`: serves a world until it is told to stop, or nobody has asked it anything for half an hour. */
export async function sim(_args: readonly string[], options: SimOptions, invocation: Invocation): Promise<number> {
  return guarded(options, invocation, () => explained(async () => {
    const { output, interrupts, env } = invocation
    const log = (line: string): void => output.say(`${line}\n`)
    const signal = options.held === true ? AbortSignal.any([interrupts.signal, letGo(process.stdin)]) : interrupts.signal
    const { root } = await writableStateFolder(options, invocation)
    const { serveWorld } = await import('../sim/serve.js')
    const lab = options.lab === true ? await (await import('../sim/lab/image.js')).labImage(env, log) : undefined
    const served = await serveWorld({
      world: options.world,
      speed: options.speed,
      port: options.port,
      stateDir: options.stateDir ?? (await worldFolder(root)),
      log,
      ...(lab === undefined ? {} : { lab }),
      ...(options.accessLog === undefined ? {} : { accessLog: options.accessLog }),
    })
    const { cloudPath: cloud, control } = served
    output.data(`${JSON.stringify({ type: 'sim.ready', cloud, control, pid: process.pid })}\n`)
    signal.addEventListener('abort', () => void served.stop())
    // That was while it started.
    if (signal.aborted) void served.stop()
    await served.ended
    return interrupts.first === undefined ? exit.done : exitOfSignal(interrupts.first)
  }))
}

/** Says what is wrong with the world file, and what the lab needs, as what the person at the terminal can mend. */
async function explained(work: () => Promise<number>): Promise<number> {
  try {
    return await work()
  } catch (error) {
    const [{ LabError }, { WorldFileError }] = await Promise.all([import('../sim/lab/error.js'), import('../sim/world/load.js')])
    if (error instanceof WorldFileError) {
      throw new LifeboatError('usage.world', error.message, { blame: 'user', hint: 'Mend that file, or name another one: --world FILE', cause: error })
    }
    if (!(error instanceof LabError)) throw error
    throw new LifeboatError('sim.no-lab', error.message, { blame: 'user', hint: 'Without --lab the same world is served with simulated hosts.', cause: error })
  }
}
