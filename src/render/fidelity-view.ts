import type { Fidelity, Mode, SentWrite, StepFidelity, Unsent, Write } from '../contract/index.js'
import { noPaint, type Paint } from './color.js'
import { sayWhat } from './headline.js'
import { count, cut, line, oneLine, pad, widthOf, wrap } from './text.js'
import { shortWrite } from './words.js'

/** `report --fidelity --json` is this, with `type` and `version`. */
export interface FidelityInput extends Fidelity {
  readonly run: string
  readonly runbook: string
  readonly mode: Mode
  /** The run that this one puts back. */
  readonly undoes?: string
  /** How often it was started or resumed: their writes are counted together. */
  readonly lives: number
  readonly isOver: boolean
}

export interface FidelityStyle {
  readonly paint?: Paint
  readonly columns?: number
  /** What happened as it was predicted, too, and all of each list. */
  readonly verbose?: boolean
}

const listLimit = 12
/** Where a file or a pipe takes it, tables may be wider than what is to be read. */
const proseColumns = 100
const rules =
  'A write counts once for each step, however often and in however many lives of the run it was sent; reads, polls and logins are none. One that ' +
  'was refused each time did not happen; one whose answer is missing counts as having happened. What was predicted is what stands in the ' +
  'journaled plan.'

/** What was predicted beside what was sent: a table, then each write that is in one of them only. */
export function fidelityLines(input: FidelityInput, style: FidelityStyle = {}): string[] {
  const layout = { paint: noPaint, columns: 100, verbose: false, ...style }
  const { total, lives, isOver, notPredicted } = input
  const partly = total.partlyKnown === 0 ? '' : `, ${total.partlyKnown} of them with a part that was not known yet (*)`
  const so = isOver ? '' : ' The run has not come to its end: these are its figures so far.'
  const said = (text: string): string[] => wrap(text, Math.min(proseColumns, layout.columns))
  return [
    layout.paint('bold', cut(`Fidelity of the dry run of ${input.runbook}`, layout.columns)),
    ...said(`Run ${input.run}, ${input.undoes === undefined ? 'a' : 'an'} ${sayWhat(input.mode, input.undoes)}${lives === 1 ? '' : `, all ${lives} lives of it together`}.${so}`),
    ...said(`${count(total.predicted, 'write')} ${total.predicted === 1 ? 'was' : 'were'} predicted${partly}.`),
    ...(input.steps.length === 0 ? [] : ['', ...table(input, layout)]),
    ...listed('Predicted, and did not happen', of(input, ({ missing }) => missing.map(sayUnsent)), layout),
    ...listed('Sent unpredicted', of(input, ({ unpredicted }) => unpredicted.map(saySent)), layout),
    ...listed('Open: the step has not come to its end', of(input, ({ open }) => open.map(sayUnsent)), layout),
    ...(layout.verbose ? listed('Predicted, and happened', of(input, ({ happened }) => happened.map(saySent)), layout) : []),
    ...(notPredicted.length === 0 ? [] : ['', ...said(`Not predicted, since their modules do not say what they write: ${notPredicted.join(', ')}.`)]),
    '',
    ...said(rules).map((part) => layout.paint('dim', part)),
  ]
}

type Layout = Required<FidelityStyle>

/** What belongs to no step is the run's own: the marks on its target. */
function nameOf({ step }: Pick<StepFidelity, 'step'>): string {
  return step === 'site' ? '(the run itself)' : oneLine(step)
}

/** Steps with what is said of each of their writes. */
function of({ steps }: FidelityInput, said: (row: StepFidelity) => readonly string[]): readonly (readonly [string, string])[] {
  return steps.flatMap((row) => said(row).map((one) => [nameOf(row), one] as const))
}

function saySent({ write, outcome, answer }: SentWrite): string {
  return outcome === 'refused' ? refused(write, answer) : shortWrite(write)
}

function sayUnsent({ write, refused: status, doneBy }: Unsent): string {
  if (status !== undefined) return refused(write, status)
  return doneBy === undefined ? shortWrite(write) : `${shortWrite(write)} (${oneLine(doneBy)} did)`
}

function refused(write: Write, status: number | undefined): string {
  return `${shortWrite(write)} (refused${status === undefined ? '' : ` with ${status}`})`
}

function table({ steps, total }: FidelityInput, { paint, columns }: Layout): string[] {
  const hasOpen = total.open > 0
  const titles = ['predicted', 'happened', 'missing', ...(hasOpen ? ['open'] : []), 'extra', 'precision', 'recall']
  const cells = (figures: readonly number[], open: number, extra: number, shares: Pick<StepFidelity, 'precision' | 'recall'>): string[] => [
    ...figures.map(String),
    ...(hasOpen ? [String(open)] : []),
    ...[String(extra), sayShare(shares.precision), sayShare(shares.recall)],
  ]
  const rows = steps.map((row) => {
    const [happened, missing, open] = [row.happened.length, row.missing.length, row.open.length]
    const figures = cells([happened + missing + open, happened, missing], open, row.unpredicted.length, row)
    return { name: nameOf(row), good: missing + row.unpredicted.length === 0, figures }
  })
  const sum = cells([total.predicted, total.happened, total.missing], total.open, total.unpredicted, total)
  const figuresWidth = titles.reduce((all, title) => all + title.length + 2, 0)
  const width = Math.max(8, Math.min(columns - figuresWidth, Math.max(...rows.map(({ name }) => widthOf(name)))))
  const laid = (name: string, all: readonly string[]): string =>
    pad(cut(name, width), width) + all.map((cell, index) => `  ${cell.padStart(titles[index]?.length ?? 0)}`).join('')
  return [
    line([['dim', laid('step', titles)]], paint, columns),
    ...rows.map(({ name, good, figures }) => line([good ? laid(name, figures) : ['yellow', laid(name, figures)]], paint, columns)),
    line([['bold', laid('total', sum)]], paint, columns),
  ]
}

/** Three places, cut and not rounded: what is not whole never reads as 1. */
function sayShare(share: number | null): string {
  return share === null ? '-' : (Math.floor(share * 1000) / 1000).toFixed(3)
}

function listed(title: string, entries: readonly (readonly [string, string])[], { paint, columns, verbose }: Layout): string[] {
  if (entries.length === 0) return []
  const shown = verbose ? entries : entries.slice(0, listLimit)
  const width = Math.min(20, Math.max(...shown.map(([name]) => widthOf(name))))
  const lines = shown.map(([name, what]) => line([`  ${pad(cut(name, width), width)}  `, what], paint, columns))
  const more = shown.length === entries.length ? [] : [line([['dim', `  and ${entries.length - shown.length} more: --verbose lists all`]], paint, columns)]
  return ['', paint('bold', cut(`${title}:`, columns)), ...lines, ...more]
}
