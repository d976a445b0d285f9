import type { Change, CloudFacts, ErrorFacts, Mode, Place, PlanFacts, PlannedStep } from '../contract/index.js'
import { noPaint, type Paint, type Style } from './color.js'
import { sayWhatAndWhere } from './headline.js'
import { placesLines } from './places-view.js'
import { readinessLines, type ReadinessFinding } from './readiness-view.js'
import { detailsOf, type Detail } from './plan-values.js'
import { count, line, oneLine, pad, widthOf, wrap, wrapSpans, type Span } from './text.js'
import { formatDuration, formatOffset } from './times.js'
import { countByAction, harmsOf, shortResource, shortWrite } from './words.js'

/** What a plan shows; the engine's plan fits it as it is. */
export interface PlanInput {
  readonly runbook: string
  readonly mode: Mode
  readonly cloud: CloudFacts
  readonly objectiveMs?: number
  readonly steps: readonly PlannedStep[]
  readonly facts: PlanFacts
  readonly findings: readonly ReadinessFinding[]
  readonly failures: readonly { readonly step: string; readonly error: ErrorFacts }[]
  readonly places: readonly Place[]
  /** A run of it follows, once it is agreed to. */
  readonly begins?: boolean
  /** The run that this would put back, and what would stay as it is. */
  readonly undo?: { readonly of: string; readonly leftBehind: readonly LeftBehind[]; readonly open: readonly string[] }
}

export interface LeftBehind {
  readonly step: string
  readonly resource: string
  readonly why: string
  /** True for what is left on purpose, false for what cannot be put back. */
  readonly kept: boolean
}

export interface PlanStyle {
  readonly paint?: Paint
  readonly columns?: number
  /** Whole ids and all values, however many. */
  readonly verbose?: boolean
}

const detailLimit = 12
/** Of a step's writes, with --verbose. */
const writeLimit = 12
const marks: Readonly<Record<Change['action'], readonly [Style, string]>> = {
  create: ['green', '+ create'],
  update: ['yellow', '~ update'],
  delete: ['red', '- delete'],
  run: ['cyan', '> run'],
}

/** A plan for people: every change of every step, then where it would hurt and how long it would take. */
export function planLines(input: PlanInput, style: PlanStyle = {}): string[] {
  const layout = { paint: noPaint, columns: 100, verbose: false, ...style }
  const banner = [
    layout.paint('bold', `Plan for ${input.runbook}`),
    ...wrap(sayWhatAndWhere(input.mode, input.cloud, input.undo?.of), layout.columns),
    ...placesLines(input.places, layout.columns),
    ...wrap(`${input.begins === true ? 'So far this has only read' : 'This is a dry run: it only reads'}, and nothing has been changed.`, layout.columns),
  ]
  // A gate stands where it is asked: between what comes before it and what it keeps back.
  const hasPlace = ({ changes, remark, state }: PlannedStep): boolean => changes.length > 0 || remark !== undefined || state === 'gate'
  const linesOf = (steps: readonly PlannedStep[]): string[][] => steps.map((step) => stepLines(step, input, layout))
  const [busy, idle] = [linesOf(input.steps.filter(hasPlace)), linesOf(input.steps.filter((step) => !hasPlace(step)))]
  return [
    ...banner,
    ...busy.flatMap((lines) => ['', ...lines]),
    ...(idle.length === 0 ? [] : ['', ...idle.flat()]),
    '',
    ...leftLines(input, layout),
    ...openLines(input, layout),
    ...closingLines(input, layout),
    ...readinessOf(input, layout),
    'Nothing has been changed.',
  ]
}

type Layout = Required<PlanStyle>

const states: Readonly<Record<PlannedStep['state'], string>> = {
  absent: 'does not exist yet',
  converged: 'as wanted already, no change',
  drifted: 'exists and differs',
  'in-flight': 'an operation is under way',
  assumed: '*assumed* absent, cannot be looked at yet',
  unknown: 'cannot be told, see below; planned as if all of it were to be done',
  gate: 'asks before going on',
  check: 'verifies, changes nothing',
}

/** The same on the way back. */
const statesBack: Partial<typeof states> = {
  converged: 'nothing to put back',
  drifted: 'as the run left it, to be put back',
}

/** And of a step that is not known to be over. */
const statesOpen: Partial<typeof states> = { converged: 'nothing to put back yet' }

/** What is only run (a command of the site's own) never exists; it is done or not. */
function sayState({ state, changes }: PlannedStep, said: typeof states): string {
  return state === 'absent' && changes.every(({ action }) => action === 'run') ? 'to be done' : said[state]
}

function stepLines(step: PlannedStep, { facts, failures, undo }: PlanInput, layout: Layout): string[] {
  const { paint, columns } = layout
  if (failures.some((failure) => failure.step === step.id)) {
    return wrapSpans([['bold', step.id], ['dim', `  ${step.uses}  `], ['red', 'cannot be planned, see below']], columns, '    ', paint)
  }
  const when: string[] = []
  if (step.changes.length > 0) {
    when.push(`from ${formatOffset(step.startMs)}`, `about ${formatDuration(step.estimateMs)}`)
    if (facts.criticalPath.includes(step.id)) when.push('on the critical path')
  }
  const flags: Span[] = []
  // Right behind the name, where no narrow window cuts them off.
  if (facts.firstHarm === step.id) flags.push(['red', '  FIRST HARM'])
  if (facts.pointOfNoReturn === step.id) flags.push(['red', '  POINT OF NO RETURN'])
  const said = undo === undefined ? states : { ...states, ...statesBack, ...(undo.open.includes(step.id) ? statesOpen : {}) }
  const state: Style = step.state === 'assumed' ? 'yellow' : 'dim'
  const head: Span[] = [['bold', step.id], ...flags, ['dim', `  ${step.uses}  `], [state, sayState(step, said)]]
  if (when.length > 0) head.push(['dim', `; ${when.join(', ')}`])
  const remark = step.remark === undefined ? [] : wrap(`remark: ${oneLine(step.remark)}`, columns - 6).map((part) => `      ${paint('yellow', part)}`)
  const changes = step.changes.flatMap((change) => changeLines(change, step, layout))
  return [...wrapSpans(head, columns, '    ', paint), ...remark, ...changes, ...(layout.verbose ? writeLines(step, layout) : [])]
}

/** What making the changes would send and run. */
function writeLines({ changes, writes }: PlannedStep, { paint, columns }: Layout): string[] {
  if (changes.length === 0) return []
  const said = writes === undefined ? ['not predicted: its module does not say'] : writes.slice(0, writeLimit).map(shortWrite)
  const more = (writes?.length ?? 0) - writeLimit
  const lines = said.map((text, index) => line([['dim', index === 0 ? '    writes  ' : '            '], text], paint, columns))
  return more > 0 ? [...lines, line([['dim', `            and ${count(more, 'more write')}: --json has all`]], paint, columns)] : lines
}

function changeLines(change: Change, step: PlannedStep, { paint, columns, verbose }: Layout): string[] {
  const [style, mark] = marks[change.action]
  const resource = verbose ? oneLine(change.resource) : shortResource(change.resource)
  const details = detailsOf(change)
  const shown = verbose ? details : details.slice(0, detailLimit)
  const pathWidth = Math.min(32, Math.max(0, ...shown.map((detail) => widthOf(detail.path))))
  const lines = [line([[style, `  ${mark} `], resource], paint, columns)]
  for (const detail of shown) lines.push(line(detailSpans(detail, change, pathWidth), paint, columns))
  if (shown.length < details.length) {
    lines.push(line([['dim', `      and ${count(details.length - shown.length, 'more value')}: --verbose shows all`]], paint, columns))
  }
  if (change.harm !== undefined) lines.push(...note('harm', change.harm, paint, columns))
  const reason = step.irreversible[change.resource]
  if (reason !== undefined) lines.push(...note('cannot be put back', reason, paint, columns))
  return lines
}

function detailSpans({ path, before, after }: Detail, change: Change, width: number): Span[] {
  const name: Span = ['dim', `      ${pad(path === '' ? 'value' : path, width)}  `]
  if (before !== undefined && after !== undefined) return [name, ['red', before], ' → ', ['green', after]]
  if (after !== undefined) return [name, after]
  return [name, ['red', before ?? ''], ...(change.action === 'update' ? [' → (nothing)'] : [])]
}

/** What takes something from users or cannot be undone is never cut. */
function note(what: string, text: string, paint: Paint, columns: number): string[] {
  return wrap(`${what}: ${text}`, columns - 6).map((part) => `      ${paint('red', part)}`)
}

/** Said before an undo starts: what it will not put back. */
function leftLines({ undo }: PlanInput, { paint, columns }: Layout): string[] {
  if (undo === undefined || undo.leftBehind.length === 0) return []
  return [
    'Stays as it is:',
    ...undo.leftBehind.flatMap(({ step, resource, why, kept }) => {
      const text = `${step}: ${shortResource(resource)} ${kept ? 'is kept' : 'cannot be put back'}: ${oneLine(why)}`
      return wrap(text, columns - 4).map((part, index) => `${index === 0 ? '  - ' : '    '}${kept ? part : paint('red', part)}`)
    }),
    '',
  ]
}

/** What an undo's plan cannot show: it looks at what is there now. */
function openLines({ undo }: PlanInput, { paint, columns }: Layout): string[] {
  if (undo === undefined || undo.open.length === 0) return []
  const text = `Not known to be over: ${undo.open.join(', ')}. What is still at work there is waited for, and what it makes is put back too: what is not shown above is shown and asked for then.`
  return [...wrap(text, columns).map((part) => paint('yellow', part)), '']
}

function closingLines(input: PlanInput, { paint, columns }: Layout): string[] {
  const { steps, facts, objectiveMs } = input
  const changing = steps.filter((step) => step.changes.length > 0)
  const changes = changing.flatMap((step) => step.changes)
  if (changes.length === 0) {
    const text = input.failures.length === 0 ? whatNoChangeMeans(input) : 'No change is known to be needed, but see below.'
    return [...wrap(text, columns).map((part) => paint('bold', part))]
  }
  const expected = `Expected time: ${formatDuration(facts.totalMs)}, ${sayBasis(changing)}${objectiveMs === undefined ? '' : `; the objective is ${formatDuration(objectiveMs)}`}`
  const slow = facts.criticalPath.flatMap((id) => {
    const step = changing.find((one) => one.id === id)
    return step === undefined ? [] : [`${id} ${formatDuration(step.estimateMs)}`]
  })
  const assumed = steps.filter((step) => step.state === 'assumed' && step.changes.length > 0).map((step) => step.id)
  const texts = [
    `First harm: ${harmOf(input)}`,
    `Point of no return: ${noReturnOf(input)}`,
    expected,
    `Critical path: ${slow.length === 0 ? 'none' : slow.join(' → ')}`,
    ...steps.flatMap(variantTexts),
    ...dnsOf(input, changes),
    ...(assumed.length === 0
      ? []
      : [`*Assumed*: ${assumed.join(', ')}. What they would look at does not exist yet, so they are planned as if nothing of theirs did.`]),
  ]
  const amounts = `${count(changes.length, 'change')} in ${count(changing.length, 'step')}: ${countByAction(changes)}`
  return [
    ...wrap(amounts, columns).map((part) => paint('bold', part)),
    ...texts.flatMap((text) => wrap(text, columns)),
  ]
}

/** The choice that the runbook made, and under it what each other one would make of the times. */
function variantTexts({ id, variants = [] }: PlannedStep): string[] {
  const chosen = variants.filter((variant) => variant.chosen)
  return [...chosen, ...variants.filter((variant) => !variant.chosen)].map(({ input, value, chosen: isChosen, says, totalMs, next }) => {
    const starts = next.map(({ step, startMs }) => `${step} from ${formatOffset(startMs)}`)
    const name = isChosen ? `Choice in ${id}: ${input}: ${value}` : `Instead, ${input}: ${value}`
    return `${name}: ${[...starts, `end after ${formatDuration(totalMs)}`].join(', ')} (${says})`
  })
}

/** What earlier runs took is worth more than an estimate, so which of the two it is is said. */
function sayBasis(changing: readonly PlannedStep[]): string {
  const known = changing.filter(({ estimatedFrom }) => estimatedFrom !== undefined)
  if (known.length === 0) return 'by estimates'
  const runs = Math.max(...known.map(({ estimatedFrom }) => estimatedFrom?.runs ?? 0))
  const rest = known.length === changing.length ? '' : `, and by estimates for ${count(changing.length - known.length, 'step')}`
  return `by what ${count(known.length, 'step')} took in ${count(runs, 'earlier run')}${rest}`
}

/** Do names lead elsewhere afterwards? Clients follow a record only when its TTL has run out; an address that stays spares that. */
function dnsOf({ undo }: PlanInput, changes: readonly Change[]): string[] {
  const has = ({ after }: Change, key: string): boolean => typeof after === 'object' && after !== null && key in after
  const records = changes.filter((change) => change.resource.startsWith('record ') && (change.action === 'delete' || has(change, 'values')))
  if (records.length > 0) {
    const spared = undo === undefined ? '. A reserved address for each hub would spare that (see the README)' : ''
    return [`DNS: ${count(records.length, 'record')} ${records.length === 1 ? 'changes' : 'change'}, and clients follow when the old answer has run out${spared}.`]
  }
  return changes.some((change) => change.resource.startsWith('public address ')) ? ['No DNS change: the hubs keep their addresses.'] : []
}

function whatNoChangeMeans({ undo }: PlanInput): string {
  if (undo === undefined) return 'No change: all is as the runbook wants it.'
  return undo.open.length > 0
    ? `No change to be seen yet of ${undo.of} that can be put back.`
    : `No change: nothing is left that ${undo.of} changed and that can be put back.`
}

function harmOf({ steps, facts, failures }: PlanInput): string {
  const step = steps.find((one) => one.id === facts.firstHarm)
  if (step === undefined) return failures.length === 0 ? 'none' : cannotBeTold(failures)
  return `${step.id}, at about ${formatOffset(step.startMs)}: ${harmsOf(step.changes).join('; ')}`
}

function noReturnOf({ steps, facts, failures }: PlanInput): string {
  const step = steps.find((one) => one.id === facts.pointOfNoReturn)
  if (step === undefined) return failures.length === 0 ? 'none; every change can be put back' : cannotBeTold(failures)
  return `${step.id}, at about ${formatOffset(step.startMs)}: ${[...new Set(Object.values(step.irreversible))].map(oneLine).join('; ')}`
}

const cannotBeTold = ({ length }: PlanInput['failures']): string => `cannot be told while ${count(length, 'step')} cannot be planned`

/** What preflight found and what could not be planned, as one table. Where nothing changes there is nothing to be ready for. */
function readinessOf({ steps, findings, failures, begins }: PlanInput, { paint, columns }: Layout): string[] {
  const changes = steps.some((step) => step.changes.length > 0)
  if (!changes && findings.length === 0 && failures.length === 0) return []
  return ['', ...readinessLines(findings, paint, columns, begins), '']
}
