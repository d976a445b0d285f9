import { describe, expect, it } from 'vitest'
import { plainAsker } from '../../src/render/ask/plain.js'
import { quickKeyboard } from '../helpers/typed-keys.js'

const choices = [
  { value: 'go', name: 'Go on' },
  { value: 'stop', name: 'Stop here' },
] as const
const card = { title: 'prod: go on?', about: ['Staging answers.'], waiting: () => 1 }

/** A terminal at which lines are typed: each once the question says that it takes them. */
function typist() {
  const stop = new AbortController()
  let [said, answered] = ['', 0]
  const { keyboard, stdin, modes, signals } = quickKeyboard(stop)
  const asker = plainAsker({ output: { columns: 80 }, stage: { keep: (text) => void (said += text) }, keyboard })
  const takes = async (): Promise<void> => {
    while (said.length === answered || !/(Enter|please):\n$/.test(said)) await new Promise(setImmediate)
  }
  const type = async (text: string): Promise<void> => {
    await takes()
    answered = said.length
    stdin.write(text)
  }
  return { said: () => said, type, takes, stdin, modes, signals, asker, stop, keyboard }
}

describe('a question where the cursor may not be moved', () => {
  it('is asked in lines and answered by a number; another one is asked for again', async () => {
    const { asker, said, type, stop, signals } = typist()
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
    expect(signals).toEqual([])
  })

  it('is asked anew as a whole when the process goes on after Ctrl-Z: the shell has written since', async () => {
    const { asker, said, takes, type, stop, keyboard } = typist()
    const answer = asker.select(card, choices, stop.signal)
    await takes()
    const once = said()
    keyboard.continued()
    expect(said()).toBe(once + once)
    await type('1\n')
    expect(await answer).toBe('go')
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

  it('ends with the run', async () => {
    const { asker, stop, signals } = typist()
    const ended = asker.text({ title: 'why?' }, stop.signal)
    stop.abort(new Error('over'))
    await expect(ended).rejects.toThrow('over')
    expect(signals).toEqual([])
  })

  it('counts Ctrl-D as Ctrl-C, and a terminal that has gone as SIGHUP', async () => {
    const [typed, gone] = [typist(), typist()]
    const over = gone.asker.select(card, choices, gone.stop.signal)
    await gone.takes()
    gone.stdin.setRawMode = () => void gone.stdin.emit('error', new Error('setRawMode EIO'))
    gone.stdin.end()
    await expect(over).rejects.toThrow('stopped')
    expect(gone.signals).toEqual(['SIGHUP'])
    const left = typed.asker.select(card, choices, typed.stop.signal)
    await typed.takes()
    typed.stdin.end()
    await expect(left).rejects.toThrow('stopped')
    expect(typed.signals).toEqual(['SIGINT'])
    expect(typed.modes.at(-1)).toBe(false)
  })

  it('is not answered by lines that were typed before it took any, and lets the terminal show and edit the one that it takes', async () => {
    const { asker, type, stdin, modes, stop } = typist()
    stdin.write('2\n2')
    const answer = asker.select(card, choices, stop.signal)
    expect(modes).toEqual([true])
    stdin.write('\n')
    await type('1\n')
    expect(await answer).toBe('go')
    expect(modes).toEqual([true, false])
  })

  it('keeps the indentation of what is shown above it', () => {
    const { asker, said } = typist()
    asker.show(['rack in detail:', `  error    ${'it has no room '.repeat(6)}`])
    expect(said().split('\n').slice(0, 3)).toEqual(['rack in detail:', expect.stringMatching(/^ {2}error/), expect.stringMatching(/^ {2}\S/)])
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
