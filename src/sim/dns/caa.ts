/** `0 issue "letsencrypt.org"`, as zone files have it (RFC 8659 4.1.1). */
export function caaOf(value: string): { readonly flags: number; readonly tag: string; readonly value: string } {
  const [, flags = '0', tag = '', quoted = ''] = /^(\d+) (\w+) "?([^"]*)"?$/.exec(value) ?? []
  return { flags: Number(flags), tag, value: quoted }
}
