import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { Keyboard } from '../../src/render/keyboard.js'

/** A keyboard whose moments pass when the test says so. */
function typist() {
  const modes: boolean[] = []
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (isRaw: boolean) => void modes.push(isRaw) })
  const told: string[] = []
  let moment: (() => void) | undefined
  const place = { isInForeground: true }
  const keyboard = new Keyboard({
    input: () => stdin,
    after: (_ms, act) => {
      moment = act
      return () => void (moment = undefined)
    },
    signal: (name) => told.push(name),
    stop: () => told.push(`stopped ${modes.at(-1) === true ? 'raw' : 'as it was'}`),
    inForeground: () => place.isInForeground,
  })
  const drawn = { leaves: () => told.push('off the screen'), returns: () => told.push('drawn again') }
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
  const type = (text: string): Promise<void> => {
    stdin.write(text)
    return settle()
  }
  const passMoment = (): Promise<void> => {
    moment?.()
    return settle()
  }
  const ask = () => {
    const keys = keyboard.opens('keys', drawn)
    const heard: string[] = []
    keys.input.on('data', (bytes: Buffer) => heard.push(bytes.toString()))
    return { ...keys, heard }
  }
  return { keyboard, stdin, modes, told, drawn, place, type, passMoment, ask }
}

describe('the keyboard', () => {
  it('throws away what is typed while a run is drawn, and echoes none of it', async () => {
    const { keyboard, modes, told, drawn, type, passMoment, ask } = typist()
    const letGo = keyboard.hold(drawn)
    await type('3\r')
    const question = ask()
    question.drawn(() => told.push('taken'))
    await passMoment()
    expect([question.heard, told, modes]).toEqual([[], ['taken'], [true]])
    question.close()
    letGo()
    expect(modes).toEqual([true, false])
  })

  it('takes no text that comes with its Enter, as a paste does, for the answer of a question that single keys answer', async () => {
    const { told, type, passMoment, ask } = typist()
    const question = ask()
    question.drawn(() => told.push('taken'))
    await passMoment()
    for (const text of ['kubectl get pods\r', 'hello\rworld\r', '3\n', '3', '\u001b[B\r', '\r\r']) await type(text)
    expect(question.heard).toEqual(['3', '\u001b[B\r', '\r\r'])
  })

  it('takes keys for a question only when none has been pressed for a moment since it stands', async () => {
    const { told, type, passMoment, ask } = typist()
    const question = ask()
    await type('\r')
    question.drawn(() => told.push('taken'))
    await type('\r')
    await passMoment()
    await type('1')
    await type('\r')
    expect([question.heard, told]).toEqual([['1', '\r'], ['taken']])
  })

  it('begins the moment anew with each key that comes too early, as of one that is held down', async () => {
    const { stdin, told, type, passMoment, ask } = typist()
    const question = ask()
    question.drawn(() => told.push('taken'))
    // The process had no time to look before the moment was over.
    const moment = passMoment()
    stdin.write('\r')
    await moment
    expect([question.heard, told]).toEqual([[], []])
    await passMoment()
    await type('\r')
    expect([question.heard, told]).toEqual([['\r'], ['taken']])
  })

  it('gives the second Enter of two to nobody', async () => {
    const { type, passMoment, ask } = typist()
    const first = ask()
    first.drawn(() => undefined)
    await passMoment()
    await type('\r')
    first.close()
    const second = ask()
    second.drawn(() => undefined)
    await type('\r')
    expect([first.heard, second.heard]).toEqual([['\r'], []])
  })

  it('knows the keys that are signals at any time, and passes nothing that comes with them', async () => {
    const { keyboard, told, drawn, type, passMoment, ask } = typist()
    keyboard.hold(drawn)
    await type('\u0003')
    const question = ask()
    question.drawn(() => undefined)
    await type('\u001c')
    await passMoment()
    await type('1\u0003\r')
    await type('\u0004')
    expect([told, question.heard]).toEqual([['SIGINT', 'SIGQUIT', 'SIGINT'], ['1']])
  })

  it('is stopped by Ctrl-Z with the terminal as it was, and is in raw mode again afterwards', async () => {
    const { keyboard, modes, told, drawn, type } = typist()
    keyboard.hold(drawn)
    await type('\u001a')
    keyboard.continued()
    expect(told).toEqual(['off the screen', 'stopped as it was', 'drawn again'])
    expect(modes).toEqual([true, false, true])
    // Stopped by somebody else.
    keyboard.continued()
    expect(told.at(-1)).toBe('drawn again')
    expect(modes).toEqual([true, false, true, false, true])
  })

  it('leaves the terminal alone in the background, until it is there again', async () => {
    const { keyboard, modes, drawn, place, passMoment } = typist()
    place.isInForeground = false
    keyboard.hold(drawn)
    await passMoment()
    expect(modes).toEqual([])
    place.isInForeground = true
    await passMoment()
    expect(modes).toEqual([true])
  })

  it.each(['end', 'error'])('tells a terminal that has gone as SIGHUP, once (%s)', async (how) => {
    const { keyboard, stdin, modes, told, drawn, type, ask } = typist()
    const letGo = keyboard.hold(drawn)
    const question = ask()
    if (how === 'end') stdin.end()
    else stdin.emit('error', new Error('read EIO'))
    await type('').catch(() => undefined)
    question.close()
    letGo()
    stdin.emit('error', new Error('setRawMode EIO'))
    expect([told, modes]).toEqual([['SIGHUP'], [true]])
  })

  it('gives the terminal back, whatever still stands', () => {
    const { keyboard, modes, drawn, ask } = typist()
    keyboard.hold(drawn)
    ask().drawn(() => undefined)
    keyboard.giveBack()
    expect(modes).toEqual([true, false])
  })
})
