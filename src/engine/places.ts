import { isPending, placeKinds, type Change, type Place } from '../contract/index.js'

/** What a step with changes is given, and what it would change. */
export interface AtWork {
  readonly inputs: Readonly<Record<string, unknown>>
  readonly changes: readonly Change[]
}

/** By the last type in a resource's id, lower-cased. */
const kindOfType: ReadonlyMap<string, Place['kind']> = new Map([
  ['managedclusters', 'cluster'],
  ['virtualmachines', 'machine'],
  ['dnszones', 'zone'],
])

/** By the first word of what a change is called. */
const kindOfLabel: ReadonlyMap<string, Place['kind']> = new Map([
  ['resourceGroup', 'group'],
  ['managedCluster', 'cluster'],
  ['virtualMachine', 'machine'],
])

/**
 * The groups, clusters, machines and zones that steps work with, each once: what they make, and what their inputs name by an id of
 * Azure's or as `resourceGroup`. What another step makes first has no id yet; it is here because that step makes it. In the order of
 * the kinds, then of the steps. Pure.
 */
export function placesOf(steps: readonly AtWork[]): readonly Place[] {
  const found = new Map<string, Place>()
  // An old server and the one that takes its place may bear one name; a group is one wherever it is named.
  const add = (place: Place): void => {
    const key = (place.kind === 'group' ? ['group', place.name] : [place.kind, place.name, place.group ?? '']).join('/').toLowerCase()
    if (place.made || !found.has(key)) found.set(key, place)
  }
  for (const { inputs, changes } of steps) {
    for (const { action, resource } of changes) {
      const [label = '', ...name] = resource.split(' ')
      const kind = kindOfLabel.get(label)
      if (kind !== undefined && action === 'create') add({ kind, name: name.join(' '), made: true })
    }
    for (const { key, text } of textsIn(inputs)) {
      if (key === 'resourceGroup') add({ kind: 'group', name: text, made: false })
      const id = /^\/subscriptions\/[^/]+\/resourceGroups\/([^/]+)(?:\/providers\/.+\/([^/]+)\/([^/]+))?$/i.exec(text)
      const [, group, type = '', name = ''] = id ?? []
      if (group === undefined) continue
      add({ kind: 'group', name: group, made: false })
      const kind = kindOfType.get(type.toLowerCase())
      if (kind !== undefined) add({ kind, name, group, made: false })
    }
  }
  return [...found.values()].sort((a, b) => placeKinds.indexOf(a.kind) - placeKinds.indexOf(b.kind))
}

/** Every text in a value, with the key that it stands under. */
function* textsIn(value: unknown, key = ''): Generator<{ readonly key: string; readonly text: string }> {
  if (typeof value === 'string') yield { key, text: value }
  else if (Array.isArray(value)) for (const item of value as readonly unknown[]) yield* textsIn(item, key)
  else if (typeof value === 'object' && value !== null && !isPending(value)) {
    for (const [name, inner] of Object.entries(value)) yield* textsIn(inner, name)
  }
}
