import type { PipelinePolicy } from '@azure/core-rest-pipeline'
import type { Clock, Log } from '../../contract/index.js'
import { stepAtWork } from '../log/step.js'
import { loggedUrl } from '../log/url.js'
import { writesIn } from './writes.js'

/** Tells a log of every request that is sent, each attempt by itself; bodies and headers are nobody's business. */
export function logPolicy(log: Log, clock: Pick<Clock, 'realNow'>): PipelinePolicy {
  return {
    name: 'lifeboatLog',
    async sendRequest(request, next) {
      const startedMs = clock.realNow().getTime()
      const writes = writesIn(request)
      if (writes.length > 0) log({ kind: 'sending', step: stepAtWork(), writes })
      const facts = () => ({
        kind: 'request' as const,
        step: stepAtWork(),
        method: request.method,
        url: loggedUrl(request.url),
        writes,
        tookMs: clock.realNow().getTime() - startedMs,
      })
      try {
        const response = await next(request)
        log({ ...facts(), status: response.status })
        return response
      } catch (error) {
        log({ ...facts(), failure: error instanceof Error ? error.message : String(error) })
        throw error
      }
    },
  }
}
