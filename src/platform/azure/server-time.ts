import { LifeboatError } from '../../contract/index.js'
import type { AzureSession } from './session.js'

/** The `Date` of an answer (RFC 9110 6.6.1), whatever else it says: a refusal tells the time as well. */
export async function serverTime(session: AzureSession): Promise<Date> {
  const answer = await session.write('reading the time of the resource manager', async () => {
    const { createPipelineRequest } = await import('@azure/core-rest-pipeline')
    const url = `${session.endpoint}/subscriptions/${session.subscription}?api-version=2022-12-01`
    return (await session.resources()).sendRequest(createPipelineRequest({ url }))
  })
  const date = new Date(answer.headers.get('date') ?? '')
  if (Number.isNaN(date.getTime())) throw new LifeboatError('azure.no-date', 'the resource manager does not say what time it is')
  return date
}
