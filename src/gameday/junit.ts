import type { Scorecard } from './scorecard.js'

/**
 * The scorecards as JUnit XML: a suite for each scenario, a case for each expectation and each fault. Times are the world's seconds.
 * Cases are told apart by the path of their file: two files may have one name.
 */
export function junitXml(cards: readonly Scorecard[]): string {
  const suites = cards.map(suiteOf)
  const tests = suites.reduce((sum, { cases }) => sum + cases.length, 0)
  const failures = suites.reduce((sum, { failures: some }) => sum + some, 0)
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="lifeboat gameday" tests="${tests}" failures="${failures}">`,
    ...suites.flatMap(({ open, cases }) => [open, ...cases, '  </testsuite>']),
    '</testsuites>',
    '',
  ].join('\n')
}

interface Case {
  readonly what: string
  readonly wrong?: string
  readonly isSkipped?: boolean
}

function suiteOf(card: Scorecard): { readonly open: string; readonly cases: readonly string[]; readonly failures: number } {
  const faults = card.faults.map(({ id, struck }): Case => {
    const wrong = card.neverFired.find((line) => line.includes(`(${id}) `))
    return { what: `fault ${id} fires`, isSkipped: struck === null, ...(wrong === undefined ? {} : { wrong }) }
  })
  const expectations = card.expectations.map(({ what, held, found }): Case => ({ what, isSkipped: held === null, ...(held === false ? { wrong: found ?? 'it did not hold' } : {}) }))
  const all = [...faults, ...expectations]
  const failures = all.filter(({ wrong }) => wrong !== undefined).length
  const endMs = card.did.at(-1)?.endMs ?? 0
  const attributes = `name="${escaped(card.name)}" file="${escaped(card.file)}" tests="${all.length}" failures="${failures}" time="${(endMs / 1000).toFixed(3)}"`
  return { open: `  <testsuite ${attributes}>`, cases: all.map((one) => caseOf(one, card.file)), failures }
}

function caseOf({ what, wrong, isSkipped = false }: Case, classname: string): string {
  const open = `    <testcase name="${escaped(what)}" classname="${escaped(classname)}"`
  if (isSkipped) return `${open}><skipped/></testcase>`
  return wrong === undefined ? `${open}/>` : `${open}><failure message="${escaped(wrong)}"/></testcase>`
}

/** XML has no place at all for most control characters. */
function escaped(text: string): string {
  const names: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\n': '&#10;', '\t': '&#9;', '\r': '&#13;' }
  return text.replaceAll(/[&<>"\n\t\r]/g, (one) => names[one] ?? one).replaceAll(/[\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu, '?')
}
