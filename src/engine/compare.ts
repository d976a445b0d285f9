import { isPending, type Change, type Planned } from '../contract/index.js'

/**
 * Is what is about to run covered by what was shown? A change must have been shown for the same resource with the same
 * action, and what it leads to must be what was shown, except where that was still pending. Fewer changes are fine: the
 * world has come closer by itself.
 */
export function unshown(shown: readonly Change[], now: readonly Change[]): readonly Change[] {
  return now.filter(
    (change) =>
      !shown.some(
        (one) => one.resource === change.resource && one.action === change.action && covers(one.after, change.after),
      ),
  )
}

/**
 * What of this only finishes what an intent of the same run has begun: a resource that was to be created, is there, and lacks what it was
 * to have (its creation failed half way). It was shown as a creation; leading to the same is no surprise.
 */
export function notBegun(begun: readonly Change[], now: readonly Change[]): readonly Change[] {
  return now.filter((change) => {
    const created = begun.find(({ resource, action }) => resource === change.resource && action === 'create')
    return created === undefined || change.action !== 'update' || !isPartOf(change.after, created.after)
  })
}

function isPartOf(part: Planned | undefined, whole: Planned | undefined): boolean {
  if (!isObject(part) || !isObject(whole)) return covers(whole, part)
  return Object.entries(part).every(([key, value]) => covers(whole[key], value))
}

function covers(shown: Planned | undefined, now: Planned | undefined): boolean {
  if (isPendingPlace(shown)) return true
  if (Array.isArray(shown) && Array.isArray(now)) {
    return shown.length === now.length && shown.every((value, index) => covers(value as Planned, now[index] as Planned))
  }
  if (isObject(shown) && isObject(now)) {
    const keys = new Set([...Object.keys(shown), ...Object.keys(now)])
    return [...keys].every((key) => covers(shown[key], now[key]))
  }
  return (shown ?? null) === (now ?? null)
}

/** Pending as an object in this process, or as it was read back from the journal. */
function isPendingPlace(value: Planned | undefined): boolean {
  return isPending(value) || (isObject(value) && Array.isArray(value['$pending']))
}

function isObject(value: Planned | undefined): value is { readonly [key: string]: Planned | undefined } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isPending(value)
}
