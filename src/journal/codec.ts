import { crc32 } from 'node:zlib'
import { LifeboatError } from '../contract/index.js'
import type { JournalRecord, RecordType } from './records.js'

export const formatVersion = 1

/** Every type that this version understands; the compiler keeps it complete. */
const known: Readonly<Record<RecordType, true>> = {
  'run.started': true,
  'run.resumed': true,
  'run.undoing': true,
  'run.planned': true,
  'step.started': true,
  'step.intent': true,
  'child.started': true,
  'child.ended': true,
  'survivor.handled': true,
  'step.checkpoint': true,
  'step.applied': true,
  'step.verified': true,
  'step.retrying': true,
  'step.failed': true,
  'step.skipped': true,
  'question.asked': true,
  'question.answered': true,
  'run.interrupted': true,
  'run.finished': true,
}

/** Of format 1. */
export const recordTypes = Object.keys(known) as readonly RecordType[]

const seal = /^,"crc":"([0-9a-f]{8})"\}$/
const sealLength = ',"crc":"00000000"}'.length

/**
 * One line with its newline: the record as JSON with `crc` as last member, the CRC-32 (ISO 3309, as in zlib) of the same
 * object without it, as eight small hexadecimal digits.
 */
export function encode(record: JournalRecord): string {
  const { v, seq, t, run, type, data } = record
  const body = JSON.stringify({ v, seq, t, run, type, data })
  return `${body.slice(0, -1)},"crc":"${checksum(body)}"}\n`
}

export interface Decoded {
  readonly records: readonly JournalRecord[]
  /** Bytes up to the end of the last whole line. */
  readonly keptBytes: number
  /** Set if the last line is torn: its length in UTF-8 bytes (a character cut in half counts as U+FFFD). */
  readonly tornBytes?: number
}

export interface DecodeOptions {
  /** The run that the journal must be of; otherwise all records must agree with the first. */
  readonly run?: string
  /** The file, for messages. */
  readonly name?: string
  /** What was read of this journal before: where the text begins with the same lines, they are not taken apart again. */
  readonly known?: Known
  /** The text begins behind so many records. */
  readonly after?: number
}

/** Whole lines and the records that they hold. */
export interface Known {
  readonly lines: string
  readonly records: readonly JournalRecord[]
}

/**
 * Reads a whole journal, or what of it comes behind so many records. A last line without its newline was being written when the power
 * went: it was never acknowledged, so nothing was built on it, and it is left out. Throws `journal.damaged`, naming the line, on
 * anything else that is not as it was written.
 */
export function decode(text: string, options: DecodeOptions = {}): Decoded {
  const { after = 0 } = options
  const known = options.known !== undefined && text.startsWith(options.known.lines) ? options.known : undefined
  const lines = text.slice(known?.lines.length ?? 0).split('\n')
  const tail = lines.pop() ?? ''
  const records: JournalRecord[] = [...(known?.records ?? [])]
  for (const line of lines) {
    const number = after + records.length + 1
    const record = decodeLine(line, number, options)
    const run = options.run ?? records[0]?.run ?? record.run
    if (record.run !== run) throw damaged(number, `it belongs to run ${record.run}, not to ${run}`, options)
    records.push(record)
  }
  // A torn line is the beginning of a line. More than a whole record is no beginning: its newline was overwritten.
  if (unseal(tail.slice(0, -1)) !== undefined) throw damaged(after + records.length + 1, 'its end was overwritten', options)
  const tornBytes = Buffer.byteLength(tail)
  const keptBytes = Buffer.byteLength(text) - tornBytes
  return tail === '' ? { records, keptBytes } : { records, keptBytes, tornBytes }
}

function decodeLine(line: string, number: number, options: DecodeOptions): JournalRecord {
  const body = unseal(line)
  if (body === undefined) throw damaged(number, 'its checksum does not match', options)
  const record = parse(body, number, options)
  const { v, seq, type, data } = record
  if (v !== formatVersion || !isKnown(type)) {
    const what = v === formatVersion ? `records of type ${String(type)}` : `format ${String(v)}`
    throw damaged(number, `this version does not know ${what}; a newer lifeboat wrote it`, options, 'Use the lifeboat that wrote it.')
  }
  if (seq !== number) throw damaged(number, `it is record ${String(seq)}, where ${number} belongs`, options)
  if (typeof data !== 'object' || data === null) throw damaged(number, 'it has no data', options)
  // The checksum says that it is as a lifeboat wrote it, so the rest is taken at its word.
  return record as unknown as JournalRecord
}

function isKnown(type: unknown): type is RecordType {
  return typeof type === 'string' && Object.hasOwn(known, type)
}

function parse(body: string, number: number, options: DecodeOptions): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // Said below: what JSON.parse complains about helps nobody here.
  }
  throw damaged(number, 'it is not a JSON object', options)
}

/** The record's JSON without its checksum, if line and checksum fit each other. */
function unseal(line: string): string | undefined {
  const found = seal.exec(line.slice(-sealLength))
  if (found === null) return undefined
  const body = `${line.slice(0, -sealLength)}}`
  return checksum(body) === found[1] ? body : undefined
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0')
}

const freshRun = 'Put the file back from a copy, or start a fresh `lifeboat run`: it finds what is there and goes on from it.'

/** The error for a line that cannot be trusted, or not be understood. */
export function damaged(line: number, why: string, { name, run }: DecodeOptions, mend = freshRun): LifeboatError {
  const journal = name ?? (run === undefined ? 'the journal' : `the journal of run ${run}`)
  return new LifeboatError('journal.damaged', `line ${line} of ${journal} is damaged: ${why}`, {
    blame: 'user',
    hint: `Nothing was changed. ${mend}`,
  })
}
