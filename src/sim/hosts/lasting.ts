import type { ShellResult } from '../world/shell.js'
import { type Call, isAlive, killed } from './call.js'

/**
 * Something on a host that takes world time, `durations` in the world file under `what`. It goes on when the connection
 * that started it breaks, and ends without effect when the system goes down.
 */
export function forSomeTime(call: Call, command: string, what: string, finish: () => ShellResult): Promise<ShellResult> {
  const { world, host } = call
  const number = Math.max(0, ...host.running.keys()) + 1
  const durationMs = world.durationOf(what)
  const mark = { command, untilMs: world.clock.nowMs() + durationMs }
  host.running.set(number, mark)
  return new Promise((resolve) => {
    let result: ShellResult = killed
    const done = (): void => {
      if (host.running.get(number) === mark) host.running.delete(number)
      resolve(result)
    }
    const operation = world.begin(
      what,
      host.machine,
      durationMs,
      () => {
        if (isAlive(call)) result = finish()
        done()
      },
      () => {
        const { code, message } = operation.error ?? { code: 'Failed', message: 'failed' }
        result = { exitCode: 1, stdout: '', stderr: `${command}: ${message === '' ? code : message}\n` }
        queueMicrotask(done)
      },
    )
  })
}
