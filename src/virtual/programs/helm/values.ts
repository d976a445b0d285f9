import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import type { Args } from '../args.js'

type Values = Record<string, unknown>

/** The flags that hand a chart its values, as they were given. */
export function valueFlags(args: Args): readonly string[] {
  return ['--values', '--set'].flatMap((flag) => args.values(flag).flatMap((value) => [flag, value]))
}

/** What a release was given: its files in their order, then `--set`, as `helm get values` shows it. */
export function configOf(files: readonly string[], set: readonly string[]): Values {
  const merged = files.reduce<Values>((below, file) => laidOver(below, valuesOf(file)), {})
  return set.reduce((below, one) => laidOver(below, setValue(one)), merged)
}

function valuesOf(file: string): Values {
  const text = readFileSync(file.replace(/^"(.*)"$/, '$1').replaceAll('""', '"'), 'utf8')
  const read: unknown = text.startsWith('{') ? JSON.parse(text) : parse(text, { version: '1.1', merge: true, uniqueKeys: false })
  return isMapping(read) ? read : {}
}

function laidOver(below: Values, above: Values): Values {
  const result = { ...below }
  for (const [key, value] of Object.entries(above)) {
    const under = result[key]
    result[key] = isMapping(value) && isMapping(under) ? laidOver(under, value) : value
  }
  return result
}

/** `a.b=c`; lists and escapes are not played. */
function setValue(text: string): Values {
  const [path = '', value = ''] = text.split('=')
  const typed = /^-?\d+$/.test(value) ? Number(value) : value === 'true' ? true : value === 'false' ? false : value
  return path.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), typed) as Values
}

function isMapping(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
