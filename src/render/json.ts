import type { Listener } from '../contract/index.js'

/** The event stream of `--json`: NDJSON, one event a line, nothing else (design §7). */
export function jsonListener(write: (text: string) => void): Listener {
  return (event) => write(`${JSON.stringify(event)}\n`)
}
