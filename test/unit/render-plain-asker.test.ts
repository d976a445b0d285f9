import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { plainAsker } from '../../src/render/ask/plain.js'

const choices = [
  { value: 'go', name: 'Go on' },
  { value: 'stop', name: 'Stop here' },
] as const
const card = { title: 'prod: go on?', about: ['Staging answers.'], waiting: () => 1 }

/** A terminal at which lines are typed: each once the one before it has been read. */
function typist() {
  const stdin = new PassThrough()
  const stop = new AbortController()
  let [said, interrupts] = ['', 0]
  const interrupt = (): void => {
    interrupts += 1
    stop.abort(new Error('stopped'))
  }
  const output = { streams: { stdin, stdout: new PassThrough(), stderr: new PassThrough() }, columns: 80 }
  const asker = plainAsker({ output, stage: { keep: (text) => void (said += text) }, interrupt })
  const type = async (text: string): Promise<void> => {
    stdin.write(text)
    await new Promise(setImmediate)
  }
  return { said: () => said, type, hangUp: () => void stdin.end(), interrupts: () => interrupts, asker, stop }
}

describe('a question where the cursor may not be moved', () => {
  it('is asked in lines and answered by a number; another one is asked for again', async () => {
    const { asker, said, type, stop, interrupts } = typist()
    const answer = asker.select(card, choices, stop.signal)
    await type('7\n')
    await type('go\n')
    await type('\n')
    await type(' 2 \n')
    expect(await answer).toBe('stop')
    expect(said()).toBe(
      [
        '',
        '? prod: go on? (question 1 of 2)',
        '  Staging answers.',
        '  1) Go on',
        '  2) Stop here',
        'Type a number and Enter:',
        'There is no 7: a number from 1 to 2, please:',
        'There is no go: a number from 1 to 2, please:',
        'Nothing typed: a number from 1 to 2, please:',
        '',
      ].join('\n'),
    )
    expect(interrupts()).toBe(0)
  })

  it('takes what is ticked by its numbers, in any order and each once, or none', async () => {
    const { asker, said, type, stop } = typist()
    const items = ['call the dean', 'write the mail', 'wait']
    const ticked = asker.checklist({ title: 'by hand' }, items, stop.signal)
    await type('3 4\n')
    await type('3, 1 3\n')
    expect(await ticked).toEqual([0, 2])
    expect(said()).toContain('There is no 4: numbers from 1 to 3, please:\n')
    const none = asker.checklist({ title: 'by hand' }, items, stop.signal)
    await type('\n')
    expect(await none).toEqual([])
  })

  it('takes text as it was typed', async () => {
    const { asker, type, stop } = typist()
    const text = asker.text({ title: 'Type data100 to go on' }, stop.signal)
    await type('data100\n')
    expect(await text).toBe('data100')
  })

  it('ends with the run, and counts as Ctrl-C when the terminal is gone', async () => {
    const first = typist()
    const ended = first.asker.text({ title: 'why?' }, first.stop.signal)
    first.stop.abort(new Error('over'))
    await expect(ended).rejects.toThrow('over')
    expect(first.interrupts()).toBe(0)
    const second = typist()
    const gone = second.asker.select(card, choices, second.stop.signal)
    second.hangUp()
    await expect(gone).rejects.toThrow('stopped')
    expect(second.interrupts()).toBe(1)
  })

  it('never holds more of what it shows than one harmless line', async () => {
    const { asker, said, type, stop } = typist()
    const answer = asker.select({ title: 'go?', about: ['a\u001b[2Jb\nc'] }, choices, stop.signal)
    await type('\u001b[2J\n')
    await type('1\n')
    expect(await answer).toBe('go')
    expect(said()).not.toContain('\u001b')
  })
})
