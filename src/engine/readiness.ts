import type { Demand, Finding } from '../contract/index.js'

/** A finding with everybody who found it; no step stands for the site as a whole. */
export interface StepFinding extends Finding {
  readonly steps: readonly string[]
}

/** What one preflight said; `steps` is the one that said it, or empty for the site's own checks. */
export interface Heard {
  readonly steps: readonly string[]
  readonly said: readonly (Finding | Demand)[]
}

/**
 * One list out of many preflights: what several steps found becomes one finding with all of them, demands on one stock are
 * added up, stops come before warnings, and otherwise all stands in the order in which it was heard.
 */
export function collate(heard: readonly Heard[]): readonly StepFinding[] {
  const findings: Gathered = new Map()
  const stocks = new Map<string, Stock>()
  for (const { steps, said } of heard) {
    for (const one of said) {
      if (isDemand(one)) addDemand(stocks, steps, one)
      else addFinding(findings, steps, one)
    }
  }
  for (const [resource, stock] of stocks) {
    const short = shortage(resource, stock)
    if (short !== undefined) addFinding(findings, [...stock.shares.keys()], short)
  }
  const all = [...findings.values()].map(({ steps, ...finding }) => ({ ...finding, steps: [...steps] }))
  return [...all.filter(({ level }) => level === 'stop'), ...all.filter(({ level }) => level === 'warn')]
}

type Gathered = Map<string, Finding & { readonly steps: Set<string> }>

interface Stock {
  /** What each step wants of it. */
  readonly shares: Map<string, number>
  /** The one that was told the least: reads at different moments may differ, and the least is safe. */
  scarcest: Demand
}

function isDemand(one: Finding | Demand): one is Demand {
  return 'resource' in one
}

function addFinding(findings: Gathered, steps: readonly string[], finding: Finding): void {
  const { level, what, mend } = finding
  const key = JSON.stringify([level, what, mend])
  const known = findings.get(key) ?? { level, what, mend, steps: new Set<string>() }
  for (const step of steps) known.steps.add(step)
  findings.set(key, known)
}

function addDemand(stocks: Map<string, Stock>, steps: readonly string[], demand: Demand): void {
  if (demand.wanted <= 0) return
  const stock = stocks.get(demand.resource) ?? { shares: new Map<string, number>(), scarcest: demand }
  for (const step of steps) stock.shares.set(step, (stock.shares.get(step) ?? 0) + demand.wanted)
  if (demand.left < stock.scarcest.left) stock.scarcest = demand
  stocks.set(demand.resource, stock)
}

const listed = new Intl.ListFormat('en', { type: 'conjunction' })

/** `vCPUs in westus2: 64 wanted by cluster and 8 by nfs, 40 left`, or undefined where there is enough for all. */
function shortage(resource: string, { shares, scarcest }: Stock): Finding | undefined {
  const wanted = [...shares.values()].reduce((sum, share) => sum + share, 0)
  if (wanted <= scarcest.left) return undefined
  const told = [...shares].map(([step, share], index) => `${share} ${index === 0 ? 'wanted ' : ''}by ${step}`)
  return { level: 'stop', what: `${resource}: ${listed.format(told)}, ${scarcest.left} left`, mend: scarcest.mend }
}
