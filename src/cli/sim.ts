import { exit, exitOfSignal } from './exit.js'
import { guarded } from './guard.js'
import type { CommonOptions } from './options.js'
import type { Invocation } from './invocation.js'
import { stateRoot, worldFolder } from './state.js'

interface SimOptions extends CommonOptions {
  readonly world: string
  readonly speed: number
  readonly port: number
  readonly accessLog?: string
}

/** `lifeboat sim`: serves a world until it is told to stop, or nobody has asked it anything for half an hour. */
export async function sim(_args: readonly string[], options: SimOptions, invocation: Invocation): Promise<number> {
  return guarded(options, invocation, async () => {
    const { output, interrupts } = invocation
    const { serveWorld } = await import('../sim/serve.js')
    const served = await serveWorld({
      world: options.world,
      speed: options.speed,
      port: options.port,
      stateDir: options.stateDir ?? (await worldFolder(stateRoot(options, invocation))),
      log: (line) => output.say(`${line}\n`),
      ...(options.accessLog === undefined ? {} : { accessLog: options.accessLog }),
    })
    const { cloudPath: cloud, control } = served
    output.data(`${JSON.stringify({ type: 'sim.ready', cloud, control, pid: process.pid })}\n`)
    interrupts.signal.addEventListener('abort', () => void served.stop())
    await served.ended
    return interrupts.first === undefined ? exit.done : exitOfSignal(interrupts.first)
  })
}
