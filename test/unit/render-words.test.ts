import { describe, expect, it } from 'vitest'
import type { ErrorFacts, Question } from '../../src/contract/index.js'
import { sayAsked, sayStopping } from '../../src/render/words.js'
import { event } from '../helpers/render-samples.js'

const hostile = 'cut\u001b[2J it\nnow'

describe('text from elsewhere', () => {
  const error: ErrorFacts = { code: 'azure.quota', message: hostile, blame: 'user', retryable: false }
  const questions: readonly Question[] = [
    { kind: 'gate', step: 'hub', text: hostile },
    { kind: 'manual', step: 'hub', checklist: [hostile, 'then this'] },
    { kind: 'failure', step: 'hub', error },
  ]
  it.each(questions)('is one harmless line in a question to somebody else: $kind', (question) => {
    expect(sayAsked(question)).toMatch(/^[^\p{Cc}]*cut it now[^\p{Cc}]*$/u)
  })

  it('is one harmless line where another has taken over', () => {
    const stopping = event(1, { type: 'run.stopping', signal: 'another run’s take-over', displaced: hostile })
    if (stopping.type !== 'run.stopping') throw new Error('not so')
    expect(sayStopping(stopping)).toMatch(/^cut it now\. [^\p{Cc}]*$/u)
  })
})
