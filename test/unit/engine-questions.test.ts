import { describe, expect, it } from 'vitest'
import type { Answer, Operator, Question, RunEvent } from '../../src/contract/index.js'
import { Questions, type QuestionPorts } from '../../src/engine/questions.js'
import { Recorder } from '../../src/engine/recorder.js'
import { Journal } from '../../src/journal/index.js'
import { MemoryStore } from '../helpers/journal-samples.js'
import { HandClock } from '../helpers/render-samples.js'

const gate = (step: string): Question => ({ kind: 'gate', step, text: '?' })

/** Questions to somebody who answers when told to, and what was told meanwhile. */
function asked(present = true, besides: Pick<QuestionPorts, 'target'> = {}): { questions: Questions; told: string[]; answer: () => void } {
  const told: string[] = []
  const waiting: (() => void)[] = []
  const clock = new HandClock()
  const listen = (event: RunEvent): void => {
    if (event.type.startsWith('question.') && 'step' in event) told.push(`${event.type} ${event.step}`)
  }
  const recorder = new Recorder(Journal.create(new MemoryStore(), 'run', () => clock.now()), [listen], clock)
  const ask: Operator['ask'] = (): Promise<Answer> => new Promise((resolve) => waiting.push(() => resolve({ choice: 'go', by: 'ada' })))
  const questions = new Questions({ operator: { name: 'ada', present, ask }, ...besides }, recorder, new AbortController().signal)
  return { questions, told, answer: () => waiting.shift()?.() }
}

describe('questions that come up while another stands', () => {
  it('are told at once, and asked in their turn', async () => {
    const { questions, told, answer } = asked()
    const all = Promise.all(['a', 'b', 'c'].map((step) => questions.ask(gate(step))))
    expect(told).toEqual(['question.waiting b', 'question.waiting c'])
    for (const step of ['a', 'b', 'c']) {
      await expect.poll(() => told.at(-1)).toBe(`question.asked ${step}`)
      answer()
      await expect.poll(() => told).toContain(`question.answered ${step}`)
    }
    await all
    void questions.ask(gate('d'))
    await expect.poll(() => told.at(-1)).toBe('question.asked d')
  })

  it('leave no answer behind that was given after another run has taken over', async () => {
    const { questions, told, answer } = asked(true, { target: { stillOurs: () => Promise.reject(new Error('taken over')) } })
    const going = questions.ask(gate('a'))
    await expect.poll(() => told).toEqual(['question.asked a'])
    answer()
    await expect(going).rejects.toThrow('taken over')
    expect(told).toEqual(['question.asked a'])
  })

  it('are no news where nobody is there to answer', async () => {
    const { questions, told } = asked(false)
    void questions.ask(gate('a'))
    void questions.ask(gate('b'))
    await expect.poll(() => told).toEqual(['question.asked a'])
  })
})
