let aheadMs = 0
let isSet = false

/**
 * Has this process find its machine's clock that many milliseconds ahead of the right time (behind it, if negative), as if somebody had set
 * it: the code of everybody in it, SDKs too. Time that passes goes on as it is, and children see the right time.
 */
export function setClockAhead(ms: number): void {
  aheadMs = ms
  if (isSet || ms === 0) return
  isSet = true
  const rightNow = Date.now
  const now = (): number => rightNow() + aheadMs
  // Dates are the same kind of thing as before: only what reads the clock is told another time.
  globalThis.Date = new Proxy(Date, {
    construct: (target, args: unknown[], made) => Reflect.construct(target, args.length === 0 ? [now()] : args, made) as object,
    get: (target, key) => (key === 'now' ? now : (Reflect.get(target, key) as unknown)),
  })
}
