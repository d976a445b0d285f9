/** Whoever no longer waits hears so at once, with what `why` says of it; what was sent goes on. */
export function unlessAborted<T>(signal: AbortSignal | undefined, work: Promise<T>, why: (signal: AbortSignal) => Error): Promise<T> {
  if (signal === undefined) return work
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(why(signal))
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
    const settle = (): void => {
      signal.removeEventListener('abort', stop)
      resolve(work)
    }
    work.then(settle, settle)
  })
}
