/** A size as zfs and zpool print it without `-p`: at most five characters, powers of 1024. */
export function niceSize(bytes: number): string {
  const units = ['', 'K', 'M', 'G', 'T', 'P']
  let at = 0
  let value = bytes
  while (value >= 1024 && at < units.length - 1) {
    value /= 1024
    at += 1
  }
  if (at === 0) return `${bytes}${bytes === 0 ? '' : 'B'}`
  const unit = units[at] ?? ''
  if (Number.isInteger(value)) return `${value}${unit}`
  const text = [2, 1, 0].map((digits) => value.toFixed(digits)).find((one) => one.length + unit.length <= 5) ?? String(Math.round(value))
  return text + unit
}

/** A table as zfs and zpool print it: columns two spaces apart, or one tab with `-H`; names left, numbers right. */
export function table(header: readonly string[], rows: readonly (readonly string[])[], plain: boolean, right: readonly boolean[]): string {
  if (plain) return rows.map((row) => `${row.join('\t')}\n`).join('')
  const all = [header, ...rows]
  const widths = header.map((_, at) => Math.max(...all.map((row) => (row[at] ?? '').length)))
  return all
    .map((row) => {
      const cells = row.map((cell, at) => {
        if (right[at] === true) return cell.padStart(widths[at] ?? 0)
        return at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0)
      })
      return `${cells.join('  ')}\n`
    })
    .join('')
}
