import { type World, WorldError } from '../world/world.js'

const capacity = 20
const refillMs = 60_000
const buckets = new WeakMap<World, { tokens: number; atMs: number }>()

/** AKS takes PUTs of clusters from a bucket of twenty that gets one back a minute (of the world); an empty one says 429. */
export function throttleClusterPut(world: World): void {
  const nowMs = world.clock.nowMs()
  const bucket = buckets.get(world) ?? { tokens: capacity, atMs: nowMs }
  buckets.set(world, bucket)
  const back = Math.floor((nowMs - bucket.atMs) / refillMs)
  bucket.tokens = Math.min(capacity, bucket.tokens + back)
  bucket.atMs += back * refillMs
  if (bucket.tokens > 0) {
    bucket.tokens -= 1
    return
  }
  const waitMs = Math.ceil((bucket.atMs + refillMs - nowMs) / (world.clock.rate ?? 1))
  const message = 'The request is throttled: too many PUT requests for managed clusters in this subscription.'
  throw new WorldError(429, 'TooManyRequests', message, undefined, {
    'x-ms-retry-after-ms': String(waitMs),
    'retry-after': String(Math.max(1, Math.ceil(waitMs / 1000))),
  })
}
