import { z } from 'zod'
import { LifeboatError, type Finding } from '../../contract/index.js'
import { ask } from '../../platform/host/ask.js'
import { activeFeatures, knownFeatures } from '../../platform/host/features.js'
import { poolLayout, setProperties, type SetProperties } from '../../platform/host/inventory.js'
import { exportTable } from '../../platform/host/nfs.js'
import { isInPool, mountedDatasets, type Dataset } from '../../platform/host/pools.js'
import type { Host } from '../../platform/host/run.js'
import { newerZfs } from './pool.js'

const exported = z.object({ path: z.string(), clients: z.string(), options: z.string() })

/** What lies on a pool, as its server told it at one moment. */
export const storageRecord = z.object({
  /** RFC 3339, the run's clock. */
  takenAt: z.string(),
  /** Without the names of devices, which differ from server to server: `mirror-0 of 2`. */
  layout: z.array(z.string()),
  datasets: z.array(
    z.object({
      name: z.string(),
      mountpoint: z.string(),
      usedBytes: z.number(),
      /** Those that somebody has set, not what is inherited. */
      properties: z.record(z.string(), z.string()),
    }),
  ),
  /** What the server exported, of this pool or not. */
  exports: z.array(exported),
  /** Features of ZFS that the pool uses; records of old do not tell. */
  features: z.array(z.string()).optional(),
})
export type StorageRecord = z.infer<typeof storageRecord>

/** Reads what lies on a pool that is imported there. */
export async function takeRecord(host: Host, pool: string, now: Date): Promise<StorageRecord> {
  const [layout, all, properties, exports, features] = await ask(
    host,
    poolLayout(pool),
    mountedDatasets,
    setProperties(pool),
    exportTable,
    activeFeatures(pool),
  )
  const datasets = contentOf(pool, all, properties)
  return { takenAt: now.toISOString(), layout: [...layout], datasets, exports: exports.map((one) => ({ ...one })), features: [...features] }
}

type Content = Pick<StorageRecord, 'layout' | 'datasets'>

function contentOf(pool: string, all: readonly Dataset[], properties: SetProperties): StorageRecord['datasets'] {
  return all
    .filter((dataset) => isInPool(dataset, pool))
    .map(({ name, mountpoint, usedBytes }) => ({ name, mountpoint, usedBytes, properties: { ...properties[name] } }))
}

/** Students work until the fence: so much may be deleted between the record and it. */
const mayShrink = { by: 0.1, bytes: 64 * 1024 ** 2 }

/** What is missing or other than it was; empty if everything came over. Something new is no loss. */
export function differences(then: Content, now: Content): string[] {
  const layout = same(then.layout, now.layout) ? [] : [`its devices were ${then.layout.join(', ')} and are ${now.layout.join(', ')}`]
  return [...layout, ...then.datasets.flatMap((dataset) => changesOf(dataset, now.datasets.find(({ name }) => name === dataset.name)))]
}

type Recorded = StorageRecord['datasets'][number]

function changesOf(then: Recorded, now: Recorded | undefined): string[] {
  const { name } = then
  if (now === undefined) return [`${name} (${gib(then.usedBytes)}) is not there`]
  const lost = then.usedBytes - now.usedBytes
  const isSmaller = lost > Math.max(mayShrink.bytes, then.usedBytes * mayShrink.by)
  const properties = [...new Set([...Object.keys(then.properties), ...Object.keys(now.properties)])].sort()
  return [
    ...(isSmaller ? [`${name} held ${gib(then.usedBytes)} and holds ${gib(now.usedBytes)}`] : []),
    ...(then.mountpoint === now.mountpoint || 'mountpoint' in then.properties ? [] : [`${name} was mounted at ${then.mountpoint} and would be at ${now.mountpoint}`]),
    ...properties
      .filter((key) => then.properties[key] !== now.properties[key])
      .map((key) => `${key} of ${name} was ${then.properties[key] ?? 'not set'} and is ${now.properties[key] ?? 'not set'}`),
  ]
}

/** The alternative: the pool is used although it is other than it was. */
const other = 'as-it-is'

/** Throws `zfs.differs`, with the choice to use it all the same, unless everything that was recorded is there. */
export async function assertAsRecorded(host: Host, pool: string, then: StorageRecord, accepted: ReadonlySet<string>): Promise<void> {
  const [layout, all, properties] = await ask(host, poolLayout(pool), mountedDatasets, setProperties(pool))
  const found = differences(then, { layout: [...layout], datasets: contentOf(pool, all, properties) })
  if (found.length === 0 || accepted.has(other)) return
  throw new LifeboatError('zfs.differs', `${pool} is not as it was recorded at ${then.takenAt}: ${found.join('; ')}`, {
    blame: 'user',
    hint: 'It is imported and not mounted, and no hub uses it. Compare with the old server and the safety copies before anybody works on it.',
    alternative: { id: other, offer: `${pool} is used as it is now. What differs is told above; safety copies of its disks are from before the move.`, changes: [] },
  })
}

/** Told before the old server is fenced, where the new one is there by then: a pool whose features it does not know stays where it is. */
export async function featureFindings(host: Host, on: string, pool: string, { features = [] }: StorageRecord): Promise<Finding[]> {
  if (features.length === 0) return []
  const [known] = await ask(host, knownFeatures)
  const unknown = features.filter((feature) => !known.includes(feature))
  if (unknown.length === 0) return []
  return [{ level: 'stop', what: `${pool} uses what the ZFS on ${on} does not know: ${unknown.join(', ')}`, mend: newerZfs }]
}

function same(one: readonly string[], another: readonly string[]): boolean {
  return [...one].sort().join('\n') === [...another].sort().join('\n')
}

function gib(bytes: number): string {
  return bytes < 1024 ** 3 ? `${(bytes / 1024 ** 2).toFixed(1)} MiB` : `${(bytes / 1024 ** 3).toFixed(1)} GiB`
}
