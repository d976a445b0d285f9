import { WorldError } from '../world/world.js'
import type { ArmRequest } from './wire.js'

/** What an If-Match names: sent as it was read, or without the mark of a weak one. */
const bare = (etag: string): string => etag.replace(/^W\//, '').replace(/^"(.*)"$/, '$1')

/**
 * Of what Microsoft.Network keeps: a request with an If-Match is for the very resource that was read, and for none that has been changed
 * since. Of any method: a client that sends the header with its polls too is refused by the read at their end.
 */
export function assertMatches({ headers, path }: Pick<ArmRequest, 'headers' | 'path'>, there: { readonly etag?: string } | undefined): void {
  const wanted = headers['if-match']
  if (wanted === undefined || wanted === '' || !/\/providers\/Microsoft\.Network\//i.test(path)) return
  if (there !== undefined && (wanted === '*' || bare(wanted) === there.etag)) return
  const which = there === undefined ? `resource ${path}, which does not exist` : `etag W/"${there.etag ?? ''}" of resource ${path}`
  throw new WorldError(412, 'PreconditionFailed', `Etag provided in if-match header ${wanted} does not match ${which}.`)
}
