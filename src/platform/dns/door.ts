/** Asks name servers directly; a local resolver's cache proves nothing. */
export interface DnsDoor {
  /** The values of a record as one name server gives them now, sorted; empty if it has none. Throws `dns.unreachable`, `dns.refused`. */
  ask(nameServer: string, name: string, type: 'A' | 'CNAME' | 'TXT'): Promise<{ readonly values: readonly string[]; readonly ttlSeconds: number }>
  /** The CAA records of exactly this name (RFC 8659); empty if it has none. Throws `dns.unreachable`, `dns.refused`. */
  caa(nameServer: string, name: string): Promise<readonly CaaRecord[]>
}

/** `{ tag: 'issue', value: 'letsencrypt.org' }` */
export interface CaaRecord {
  readonly tag: string
  readonly value: string
}
