import { describe, expect, it } from 'vitest'
import { acceptingOf } from '../../src/cli/accepting.js'
import type { Node } from '../../src/runbook/index.js'

const position = { line: 1, column: 1 }
const step = (id: string): Node => ({ kind: 'step', id, uses: 'u', needs: [], with: {}, position, positions: new Map() })
const runbook = { nodes: [step('move'), step('fence'), { kind: 'gate', id: 'go', ask: '?', needs: [], position } as const] }

describe('--accept', () => {
  it('names a step and one of its ways, as often as it is given', () => {
    expect([...acceptingOf(['move=a', 'fence=b', 'move=c'], runbook)]).toEqual([
      ['move', new Set(['a', 'c'])],
      ['fence', new Set(['b'])],
    ])
    expect(acceptingOf(undefined, runbook).size).toBe(0)
  })

  it.each([
    ['moev=a', 'usage.wrong', 'did you mean "move"?'],
    ['go=a', 'usage.wrong', 'steps: "move", "fence"'],
    ['move', 'usage.wrong', 'STEP=ID'],
    ['=a', 'usage.wrong', 'STEP=ID'],
  ])('%s is wrong usage, and says what is meant', (text, code, hint) => {
    expect(() => acceptingOf([text], runbook)).toThrow(expect.objectContaining({ code, hint: expect.stringContaining(hint) as string }))
  })
})
