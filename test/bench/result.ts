/** One measured number beside the bar that it is held against. */
export interface Result {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly bar: number
  readonly holds: boolean
  /** What the value is made of, by name and in its unit, where that was measured. */
  readonly parts?: Readonly<Record<string, number>>
}

/** A group of measurements that are taken together; `npm run bench -- NAME` runs only those named. */
export interface Benchmark {
  readonly name: string
  /** `say` tells people how it goes, on standard error. */
  measure(say: (message: string) => void): Promise<readonly Result[]>
}

/** A number that must not be above its bar. */
export function atMost(name: string, value: number, bar: number, unit: string): Result {
  return { name, value: rounded(value), unit, bar: rounded(bar), holds: value <= bar }
}

/** A number that must not be below its bar. */
export function atLeast(name: string, value: number, bar: number, unit: string): Result {
  return { name, value: rounded(value), unit, bar: rounded(bar), holds: value >= bar }
}

/** Three significant digits behind the point are more than these measurements are good for. */
function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}
