import type { Change } from '../contract/index.js'
import { noPaint, type Paint } from './color.js'
import { detailsOf } from './plan-values.js'
import { wrap } from './text.js'
import { sayChange } from './words.js'

/** Changes with their values and whom they harm, for whoever is to agree to them. */
export function changeLines(changes: readonly Change[], paint: Paint = noPaint, columns = 80): string[] {
  const indented = (text: string, margin: string, style: (part: string) => string = (part) => part): string[] =>
    wrap(text, columns - 1 - margin.length).map((part) => margin + style(part))
  return changes.flatMap((change) => [
    ...indented(sayChange(change), '  '),
    ...detailsOf(change, Infinity).flatMap(({ path, before, after }) =>
      indented(`${path}: ${[before, after].filter((value) => value !== undefined).join(' → ')}`, '      '),
    ),
    ...(change.harm === undefined ? [] : indented(`harm: ${change.harm}`, '      ', (part) => paint('red', part))),
  ])
}
