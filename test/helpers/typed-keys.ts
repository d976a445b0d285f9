import { PassThrough } from 'node:stream'
import { LifeboatError } from '../../src/contract/index.js'
import { Keyboard } from '../../src/render/keyboard.js'

/** A keyboard at which a question takes keys as soon as it stands; a key that is a signal stops whoever asks. */
export function quickKeyboard(stop: AbortController) {
  const modes: boolean[] = []
  const signals: string[] = []
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (isRaw: boolean) => void modes.push(isRaw) })
  const keyboard = new Keyboard({
    input: () => stdin,
    after: (_ms, act) => {
      const soon = setImmediate(act)
      return () => clearImmediate(soon)
    },
    signal: (name) => {
      signals.push(name)
      stop.abort(new LifeboatError(`interrupted.${name}`, `stopped by ${name}`))
    },
    stop: () => undefined,
    inForeground: () => true,
  })
  return { keyboard, stdin, modes, signals }
}
