import { placeKinds, type Place } from '../contract/index.js'
import { oneLine, pad, wrap } from './text.js'

const plural: Readonly<Record<Place['kind'], string>> = { group: 'groups', cluster: 'clusters', machine: 'machines', zone: 'zones' }
const indent = 12

/** `groups    hubs-dns, hubs-2 (new)`: a paragraph for each kind there is. */
export function placesLines(places: readonly Place[], columns: number): string[] {
  return placeKinds.flatMap((kind) => {
    const named = places.filter((place) => place.kind === kind).map(sayPlace)
    if (named.length === 0) return []
    return wrap(named.join(', '), columns - indent).map((part, index) => `  ${pad(index === 0 ? plural[kind] : '', indent - 2)}${part}`)
  })
}

function sayPlace({ name, group, made }: Place): string {
  return `${oneLine(name)}${group === undefined ? '' : ` in ${oneLine(group)}`}${made ? ' (new)' : ''}`
}
