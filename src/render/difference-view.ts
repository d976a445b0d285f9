import type { Change } from '../contract/index.js'
import { noPaint, type Paint } from './color.js'
import { detailsOf } from './plan-values.js'
import { line } from './text.js'
import { sayChange } from './words.js'

/** One step in two plans; the engine's difference fits it as it is. */
export interface DifferenceInput {
  readonly step: string
  readonly now: readonly Change[]
  readonly shown: readonly Change[]
}

/** Both sides of what differs, with all values: what would run now, and what was shown instead. */
export function differenceLines(steps: readonly DifferenceInput[], paint: Paint = noPaint, columns = 100): string[] {
  return steps.flatMap(({ step, now, shown }) => [
    line([['bold', step]], paint, columns),
    ...shown.flatMap((change) => sideLines('shown', change, paint, columns)),
    ...now.flatMap((change) => sideLines('now', change, paint, columns)),
    ...(shown.length === 0 ? [line([['dim', '  shown: nothing of that']], paint, columns)] : []),
  ])
}

function sideLines(side: 'shown' | 'now', change: Change, paint: Paint, columns: number): string[] {
  const head = line([[side === 'now' ? 'green' : 'red', `  ${side}:`.padEnd(9)], sayChange(change)], paint, columns)
  const details = detailsOf(change).map(({ path, before, after }) => {
    const value = before === undefined || after === undefined ? (after ?? `${before ?? ''} → (nothing)`) : `${before} → ${after}`
    return line([['dim', `           ${path === '' ? 'value' : path}  `], value], paint, columns)
  })
  const harm = change.harm === undefined ? [] : [line([`           harm: ${change.harm}`], paint, columns)]
  return [head, ...details, ...harm]
}
