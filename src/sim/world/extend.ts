/** The keys by which an entry of a list is known; an entry of a patch with the same value changes that one. */
const identities = ['id', 'name', 'host', 'machine', 'network'] as const

/**
 * A world file on top of another: maps are merged, an entry of a list changes the one of the same identity or is added, and
 * everything else takes the place of what was there.
 */
export function extended(base: unknown, patch: unknown): unknown {
  if (isMap(base) && isMap(patch)) {
    const merged: Record<string, unknown> = { ...base }
    for (const [key, value] of Object.entries(patch)) merged[key] = key in base ? extended(base[key], value) : value
    return merged
  }
  return Array.isArray(base) && Array.isArray(patch) && patch.every((one) => identityOf(one) !== undefined) ? joined(base, patch) : patch
}

function joined(base: readonly unknown[], patch: readonly unknown[]): unknown[] {
  const list = [...base]
  for (const entry of patch) {
    const known = identityOf(entry)
    const at = list.findIndex((one) => known !== undefined && identityOf(one) === known)
    if (at < 0) list.push(entry)
    else list[at] = extended(list[at], entry)
  }
  return list
}

function identityOf(entry: unknown): string | undefined {
  if (!isMap(entry)) return undefined
  const key = identities.find((one) => typeof entry[one] === 'string')
  return key === undefined ? undefined : `${key} ${String(entry[key]).toLowerCase()}`
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
