import { AsyncLocalStorage } from 'node:async_hooks'
import type { PipelinePolicy } from '@azure/core-rest-pipeline'

interface Hint {
  afterMs?: number
}

const listening = new AsyncLocalStorage<Hint>()

/**
 * Hands over how long Azure asks us to wait: `x-ms-retry-after-ms` first, then `Retry-After`, both real time as on the wire
 * (design §5). The SDKs look at neither for the first poll and at only one of them afterwards (facts/arm-wire).
 */
export const hintPolicy: PipelinePolicy = {
  name: 'lifeboatRetryHint',
  async sendRequest(request, next) {
    const response = await next(request)
    const hint = listening.getStore()
    const afterMs = retryAfterMs((name) => response.headers.get(name))
    if (hint !== undefined && afterMs !== undefined) hint.afterMs = afterMs
    return response
  },
}

/** Runs SDK calls and answers their result with the last wait that Azure asked for in the course of them. */
export async function withHint<T>(work: () => Promise<T>): Promise<{ result: T; afterMs: number | undefined }> {
  const hint: Hint = {}
  const result = await listening.run(hint, work)
  return { result, afterMs: hint.afterMs }
}

/** Real milliseconds; undefined where neither header says something usable. */
export function retryAfterMs(header: (name: string) => string | undefined): number | undefined {
  for (const [name, unitMs] of [['x-ms-retry-after-ms', 1], ['retry-after', 1000]] as const) {
    const value = Number(header(name))
    if (header(name) !== undefined && Number.isFinite(value) && value > 0) return value * unitMs
  }
  return undefined
}
