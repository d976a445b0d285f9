import { createLogUpdate } from 'log-update'
import type { Output } from './output.js'
import type { Screen } from './tty.js'

/**
 * The terminal behind standard error. The cursor stays visible: hiding it would need a handler that restores it however the
 * process ends.
 */
export function terminalScreen(output: Output): Screen {
  const log = createLogUpdate(output.streams.stderr, { showCursor: true })
  let lines = 0
  const clear = (): void => {
    log.clear()
    lines = 0
  }
  return {
    draw: (text) => {
      // log-update 7.2 patches only what differs, and leaves lines behind where one went away above others that stay.
      const next = text.split('\n').length
      if (next !== lines) clear()
      lines = next
      log(text)
    },
    clear,
    keep: (text) => output.say(text),
    get columns() {
      return output.columns
    },
    get rows() {
      return output.rows
    },
  }
}
