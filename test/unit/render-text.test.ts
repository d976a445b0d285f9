import { describe, expect, it } from 'vitest'
import { colorsWanted, paint } from '../../src/render/color.js'
import { cut, line, oneLine, widthOf, wrap, wrapAdvice, wrapSpans } from '../../src/render/text.js'
import { formatDuration, formatOffset, LocalTimes } from '../../src/render/times.js'

describe('durations', () => {
  it.each([
    [0, '0s'],
    [-5000, '0s'],
    [499, '0s'],
    [800, '1s'],
    [45_000, '45s'],
    [59_600, '1m'],
    [190_000, '3m10s'],
    [185_000, '3m05s'],
    [2_460_000, '41m'],
    [3_599_700, '1h'],
    [3_900_000, '1h05m'],
    [NaN, '0s'],
  ])('of %d ms read %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })

  it('into a run read like a stopwatch', () => {
    expect([formatOffset(0), formatOffset(200_000), formatOffset(4_800_000)]).toEqual(['+00:00', '+03:20', '+1:20:00'])
  })
})

describe('local times', () => {
  const times = new LocalTimes('America/Los_Angeles')

  it('are those of the zone, and name it', () => {
    expect(times.full('2019-02-25T20:40:03Z')).toBe('2019-02-25 12:40:03 GMT-8')
  })

  it('do not write midnight as 24', () => {
    expect(times.time('2019-02-25T08:00:00Z')).toBe('00:00:00')
  })
})

describe('a line', () => {
  it('is cut as a whole, never wrapped, and says that something is missing', () => {
    expect(line(['abc', ['bold', 'defgh']], undefined, 6)).toBe('abcde…')
    expect(line(['abc', 'def'], undefined, 3)).toBe('ab…')
    expect(line(['abc', ''], undefined, 3)).toBe('abc')
  })

  it('is cut by what it shows, not by its colour codes', () => {
    expect(line([['red', 'abcdef']], paint(true), 4)).toBe('\u001b[31mabc…\u001b[39m')
  })

  it('counts wide characters twice and clusters once', () => {
    expect(widthOf('学生 e\u0301')).toBe(6)
    expect(cut('学生学生', 5)).toBe('学生…')
  })

  it('is cut before a number, not within it', () => {
    const text = 'hub 12m30s usually 6m'
    const shown = Array.from({ length: 21 }, (_, columns) => cut(text, columns))
    expect(new Set(shown.slice(5, 11))).toEqual(new Set(['hub …']))
    expect([cut(text, 11), cut(text, 20), cut(text, 21)]).toEqual(['hub 12m30s…', 'hub 12m30s usually …', text])
    expect(line(['✓ hub  ', ['dim', '16m01s'], '  verified'], undefined, 11)).toBe('✓ hub  …')
  })

  it('lets no escape sequence and no line break of others through', () => {
    expect(oneLine('\u001b[2Jgone\u001b]0;title\u0007\r\nnext\tone')).toBe('gone next one')
  })
})

describe('wrapping', () => {
  it('breaks between words and loses none', () => {
    expect(wrap('the cluster is being created in westus2', 16)).toEqual(['the cluster is', 'being created in', 'westus2'])
  })

  it('breaks a word that is longer than the line', () => {
    expect(wrap('x'.repeat(25), 10)).toEqual(['x'.repeat(10), 'x'.repeat(10), 'x'.repeat(5)])
  })
})

describe('advice', () => {
  it('has a command that does not fit whole on a line of its own', () => {
    expect(wrapAdvice('To go on: lifeboat resume r1', 80)).toEqual(['To go on: lifeboat resume r1'])
    expect(wrapAdvice('It is not finished. To go on: lifeboat resume r1 --state-dir s', 30)).toEqual([
      'It is not finished. To go on:',
      '  lifeboat resume r1 --state-dir s',
    ])
  })
})

describe('spans', () => {
  it('are broken between words, and keep their looks', () => {
    const marked = (style: string, text: string): string => `<${style}:${text}>`
    expect(wrapSpans([['bold', 'step'], '  ', ['red', 'FIRST HARM']], 12, '  ', marked)).toEqual(['<bold:step>  <red:FIRST>', '  <red:HARM>'])
  })
})

describe('colours', () => {
  it('are for terminals only, unless they are forced', () => {
    expect(colorsWanted({ env: {}, isTerminal: true })).toBe(true)
    expect(colorsWanted({ env: {}, isTerminal: false })).toBe(false)
    expect(colorsWanted({ env: { FORCE_COLOR: '1' }, isTerminal: false })).toBe(true)
  })

  it.each([{ NO_COLOR: '1' }, { TERM: 'dumb' }, { FORCE_COLOR: '0' }])('are left out with %o', (env) => {
    expect(colorsWanted({ env, isTerminal: true })).toBe(false)
  })

  it('are left out with --no-color, whatever the environment says', () => {
    expect(colorsWanted({ env: { FORCE_COLOR: '3' }, isTerminal: true, flag: false })).toBe(false)
  })

  it('take an empty NO_COLOR for none', () => {
    expect(colorsWanted({ env: { NO_COLOR: '' }, isTerminal: true })).toBe(true)
  })
})
