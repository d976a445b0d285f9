import type { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'

/** What whoever has started a world says to it once it is to live on by itself. */
export const keepWord = 'keep\n'

/**
 * Aborted when whoever holds the other end is gone, killed or not, and has not said that this is to live on: a rehearsal whose run has
 * not begun leaves nothing that anybody could go on with.
 */
export function letGo(input: Readable): AbortSignal {
  const over = new AbortController()
  let said = ''
  input.setEncoding('utf8').on('data', (text: string) => (said += text))
  // However it ends: one that is cut off says no more either.
  void finished(input).catch(() => undefined).then(() => {
    if (said !== keepWord) over.abort()
  })
  return over.signal
}
