/** Name of a DNS zone, from its id. */
export function zoneName(zone: string): string {
  return zone.split('/').at(-1) ?? zone
}

/** `@` is the zone itself. */
export function fqdnOf(zone: string, name: string): string {
  return name === '@' ? zoneName(zone) : `${name}.${zoneName(zone)}`
}

/** Sets of values; names are compared as DNS does, without regard to case and with or without the last dot. */
export function sameRecords(type: 'A' | 'CNAME' | 'TXT', a: readonly string[], b: readonly string[]): boolean {
  const plain = (values: readonly string[]): string[] =>
    values.map((value) => (type === 'CNAME' ? value.toLowerCase().replace(/\.$/, '') : value)).sort()
  return JSON.stringify(plain(a)) === JSON.stringify(plain(b))
}
