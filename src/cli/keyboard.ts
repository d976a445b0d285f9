import { after } from '../platform/clock/clock.js'
import { inForeground } from '../platform/exec/foreground.js'
import { Keyboard, type TypedInput } from '../render/keyboard.js'
import type { Interrupts } from './interrupts.js'

/** The keyboard of this process. */
export function keyboardOf(streams: { readonly stdin: TypedInput }, interrupts: Interrupts): Keyboard {
  return new Keyboard({
    input: () => streams.stdin,
    after,
    inForeground,
    signal: (name) => {
      if (name === 'SIGQUIT') sendAsTerminal(name)
      else interrupts.hear(name)
    },
    stop: () => sendAsTerminal('SIGTSTP'),
  })
}

/** To all in the foreground: a script that waits for us is to stop, or to end, with us. */
function sendAsTerminal(signal: NodeJS.Signals): void {
  process.kill(0, signal)
}
