import { describe, expect, it } from 'vitest'
import { questionLines, type Below, type Card } from '../../src/render/ask/card.js'

const card: Card = {
  title: 'cluster failed: what now?',
  about: ['no cores left [azure.quota]', 'Ask for more of them.', 'One line', 'and another', 'Trying again is safe.'],
  rest: 'Show details has all of it',
}
const answers = ['Try again', 'Show details', 'I have done it', 'Skip it', 'Stop here']
const below = (active: number, lines = answers): Below => ({
  answers: lines.map((text, index) => `${index === active ? '❯' : ' '} ${text}`),
  active,
  help: (isPart) => `  ↑ ↓ and Enter${isPart ? ` (${active + 1} of ${lines.length})` : ''}`,
})

describe('a question in a window', () => {
  it('stands there whole where it has room, below a blank line', () => {
    const lines = questionLines(card, { columns: 80, rows: 14 }, below(0))
    expect(lines).toHaveLength(13)
    expect([lines[0], lines[1], lines[2], lines[6], lines[7], lines[12]]).toEqual([
      '',
      '? cluster failed: what now?',
      '  no cores left [azure.quota]',
      '  Trying again is safe.',
      '❯ Try again',
      '  ↑ ↓ and Enter',
    ])
  })

  it('says that what is about it was cut, and where all of it is', () => {
    const lines = questionLines(card, { columns: 80, rows: 12 }, below(0))
    expect(lines.slice(2, 6)).toEqual(['  no cores left [azure.quota]', '  Ask for more of them.', '  … (Show details has all of it)', '❯ Try again'])
    const bare = { title: 'go?', about: card.about ?? [] }
    expect(questionLines(bare, { columns: 80, rows: 11 }, below(0))).toContain('  … (a larger window has all of it)')
  })

  it('then shows some of the answers, around the active one, and says which of how many that is', () => {
    const lines = questionLines(card, { columns: 80, rows: 8 }, below(3))
    expect(lines).toEqual([
      '? cluster failed: what now?',
      '  no cores left [azure.quota]',
      '  … (Show details has all of it)',
      '  I have done it',
      '❯ Skip it',
      '  Stop here',
      '  ↑ ↓ and Enter (4 of 5)',
    ])
  })

  it('keeps the first line of what is about it, and how to answer, to the last', () => {
    const lines = questionLines(card, { columns: 80, rows: 5 }, below(1))
    expect(lines).toEqual(['? cluster failed: what now?', '  no cores left [azure.quota] …', '❯ Show details', '  ↑ ↓ and Enter (2 of 5)'])
  })

  it.each([1, 2, 3, 4, 6, 9, 12, 20])('is never more than a window of %i rows has room for, nor wider', (rows) => {
    for (const columns of [10, 20, 40, 80]) {
      const lines = questionLines({ ...card, title: 'a long question '.repeat(9) }, { columns, rows }, below(2))
      expect(lines.length).toBeLessThanOrEqual(Math.max(3, rows - 1))
      for (const line of lines.slice(0, -1)) expect(line.length).toBeLessThan(Math.max(20, columns))
      expect(lines.at(-1)).toMatch(/^ {2}↑/)
    }
  })

  it('cuts a question that is longer than the window in its last line', () => {
    const lines = questionLines({ title: 'a long question '.repeat(20) }, { columns: 40, rows: 8 }, below(0, ['Go on', 'Stop']))
    expect(lines.slice(-4)).toEqual([expect.stringMatching(/…$/), '❯ Go on', '  Stop', '  ↑ ↓ and Enter'])
    expect(lines).toHaveLength(7)
  })
})
