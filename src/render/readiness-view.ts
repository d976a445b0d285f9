import type { Finding } from '../contract/index.js'
import type { Paint, Style } from './color.js'
import { count, line, oneLine, pad, widthOf, wrap, type Span } from './text.js'

/** A finding and the steps that it concerns; none stands for this machine and the site as a whole. */
export type ReadinessFinding = Finding & { readonly steps: readonly string[] }

const levelColumns = 'level'.length
const styles: Readonly<Record<Finding['level'], Style>> = { stop: 'red', warn: 'yellow' }

/**
 * What keeps a run from starting, or might hurt it, as one table: level, which steps, what, and below it what to do. The
 * texts share one wide column: in two narrow ones no command could be read, let alone copied. `begins`: a run was to follow.
 */
export function readinessLines(findings: readonly ReadinessFinding[], paint: Paint, columns: number, begins = false): string[] {
  if (findings.length === 0) return [paint('bold', 'Readiness: nothing in the way')]
  const stepColumns = Math.min(16, Math.max(10, ...findings.map(({ steps }) => widthOf(sayWho(steps)))))
  const textColumns = columns - levelColumns - stepColumns - 4
  const row = (level: Span, steps: string, text: Span): string =>
    line([level, `  ${pad(steps, stepColumns)}  `, text], paint, columns).trimEnd()
  const rowsOf = ({ level, steps, what, mend }: ReadinessFinding): string[] => {
    const names = wrap(sayWho(steps), stepColumns)
    const texts: Span[] = [...wrap(what, textColumns).map((part): Span => [styles[level], part]), ...mendLines(mend, textColumns)]
    return Array.from({ length: Math.max(names.length, texts.length) }, (_, index) =>
      row([styles[level], pad(index === 0 ? level : '', levelColumns)], names[index] ?? '', texts[index] ?? ''),
    )
  }
  const stops = findings.filter(({ level }) => level === 'stop').length
  return [
    ...wrap(headOf(stops, findings.length - stops), columns).map((part) => paint('bold', part)),
    row(['dim', 'level'], 'steps', ['dim', 'what, and what to do about it']),
    ...findings.flatMap(rowsOf),
    ...(stops === 0 ? [] : [paint('bold', begins ? 'So this run does not begin.' : 'A run would not start like this.')]),
  ]
}

function headOf(stops: number, warnings: number): string {
  const stopping = stops === 1 ? '1 thing stops it' : `${stops} things stop it`
  const said = [...(stops === 0 ? [] : [stopping]), ...(warnings === 0 ? [] : [count(warnings, 'warning')])]
  return `Readiness: ${said.join(', ')}`
}

function sayWho(steps: readonly string[]): string {
  return steps.length === 0 ? '(site)' : steps.join(', ')
}

function mendLines(mend: string, columns: number): Span[] {
  if (oneLine(mend) === '') return []
  return wrap(mend, columns - 2).map((part, index) => `${index === 0 ? '→' : ' '} ${part}`)
}
