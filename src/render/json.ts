import type { Listener } from '../contract/index.js'

/** The event stream of `--json`: NDJSON, one event a line, nothing else, its type, time and run first (design §7). */
export function jsonListener(write: (text: string) => void): Listener {
  return ({ type, t, run, ...rest }) => write(`${JSON.stringify({ type, t, run, ...rest })}\n`)
}
