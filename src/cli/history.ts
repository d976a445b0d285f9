import { History } from '../engine/index.js'
import { pastRuns, type RunKind, type StateFolder } from '../journal/index.js'
import type { Site } from './site.js'

/** What earlier runs of this kind, on this cloud or in this world, tell of how long steps take. */
export async function historyOf(state: StateFolder, site: Pick<Site, 'runbook' | 'cloudFacts'>, kind: Omit<RunKind, 'cloud'>): Promise<History> {
  const { mode, sim, undoes } = kind
  const alike = { mode, cloud: site.cloudFacts, ...(sim === undefined ? {} : { sim }), ...(undoes === undefined ? {} : { undoes }) }
  return new History(site.runbook.name, await pastRuns(state, alike))
}
