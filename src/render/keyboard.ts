import { PassThrough } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'

/** What is typed: `process.stdin`, where that is a terminal. */
export type TypedInput = NodeJS.ReadableStream & {
  readonly isTTY?: boolean
  setRawMode?(raw: boolean): unknown
}

/** What stands on the screen while keys are taken. */
export interface Drawn {
  /** The process is about to be stopped: what moves goes off the screen. */
  leaves(): void
  /** It goes on: draws all of it again, below whatever has been written meanwhile. */
  returns(): void
}

export interface KeyboardPorts {
  /** Asked for when something is to be read: opening standard input is no matter of course. */
  readonly input: () => TypedInput
  /** Does something after so many real milliseconds, unless what it answers is called before. */
  readonly after: (ms: number, act: () => void) => () => void
  /** A key that stands for a signal, or a terminal that has gone. */
  readonly signal: (name: 'SIGINT' | 'SIGQUIT' | 'SIGHUP') => void
  /** Stops this process as Ctrl-Z does; returns when it goes on. */
  readonly stop: () => void
  /** A process in the background is stopped by the kernel when it touches the terminal. */
  readonly inForeground: () => boolean
}

/** By single keys; by text that ends with Enter; or by a line that the terminal itself lets a person edit and shows. */
type AnsweredBy = 'keys' | 'text' | 'lines'

/** What is typed in answer to one question. */
export interface Keys {
  /** A terminal as readline wants one; the real one's mode is the keyboard's affair. */
  readonly input: NodeJS.ReadableStream
  /** The question is on the screen: once nothing has been typed for a moment, its keys are taken, and `taken` is told. */
  drawn(taken: () => void): void
  close(): void
}

/**
 * For so long (real milliseconds) nothing may have been typed since a question is on the screen, before it takes an answer: what was typed
 * before it was seen is no answer, nor is the second Enter of two, nor a key that is held down.
 */
const quietMs = 300
/** How often a process in the background looks whether it has the terminal again. */
const lookAgainMs = 1000

const [ctrlC, ctrlD, ctrlZ, ctrlBackslash] = [0x03, 0x04, 0x1a, 0x1c]

/**
 * The one reader of standard input. While a run is drawn, or a question stands, the terminal is in raw mode: nothing is echoed into
 * what moves, and what is typed while no question takes it is thrown away. So keys that are signals come here as bytes.
 */
export class Keyboard {
  readonly #ports: KeyboardPorts
  readonly #holders: Drawn[] = []
  #question: Question | undefined
  #input: TypedInput | undefined
  #isListening = false
  #isRaw = false
  #isGone = false
  #isStopping = false
  #lookAgain: (() => void) | undefined

  constructor(ports: KeyboardPorts) {
    this.#ports = ports
  }

  /** From now on nothing is echoed, until what it answers is called. */
  hold(drawn: Drawn): () => void {
    this.#holders.push(drawn)
    this.#apply()
    return () => {
      const index = this.#holders.indexOf(drawn)
      if (index >= 0) this.#holders.splice(index, 1)
      this.#apply()
    }
  }

  /** For one question at a time. */
  opens(by: AnsweredBy, drawn: Drawn): Keys {
    const question = new Question(by, drawn, this.#ports.after, () => this.#apply())
    this.#question = question
    this.#apply()
    return {
      input: question.input,
      drawn: (taken) => question.drawn(taken),
      close: () => {
        question.close()
        if (this.#question === question) this.#question = undefined
        this.#apply()
      },
    }
  }

  /** Gives the terminal its mode back, whatever still stands: the process ends. */
  giveBack(): void {
    this.#question?.close()
    this.#question = undefined
    this.#holders.splice(0)
    this.#apply()
  }

  /** The process goes on. If somebody else had stopped it, whoever had the terminal meanwhile has set its mode. */
  continued(): void {
    const isOurs = this.#isStopping
    this.#isStopping = false
    if (isOurs || !this.#isListening) return
    this.#letGo()
    this.#apply()
    this.#drawn?.returns()
  }

  get #drawn(): Drawn | undefined {
    return this.#question?.what ?? this.#holders.at(-1)
  }

  /** Mode and reading as they should be now. */
  #apply(): void {
    this.#lookAgain?.()
    this.#lookAgain = undefined
    if (this.#isGone || this.#drawn === undefined) return this.#letGo()
    // A question has to be answered: there the kernel stops a process in the background, and the shell says so.
    if (this.#question === undefined && !this.#ports.inForeground()) {
      this.#letGo()
      this.#lookAgain = this.#ports.after(lookAgainMs, () => this.#apply())
      return
    }
    this.#setRaw(this.#question?.takesLines !== true)
    this.#listen()
  }

  #listen(): void {
    if (this.#isListening || this.#isGone) return
    this.#isListening = true
    this.#opened().on('data', this.#read)
    this.#opened().resume()
  }

  #letGo(): void {
    if (this.#isListening) {
      this.#isListening = false
      this.#opened().off('data', this.#read)
      this.#opened().pause()
    }
    this.#setRaw(false)
  }

  #opened(): TypedInput {
    if (this.#input === undefined) {
      this.#input = this.#ports.input()
      // They stay: a terminal that is gone refuses a mode, too, and nobody else hears of that.
      this.#input.on('error', () => this.#lost())
      this.#input.on('end', () => this.#ended())
    }
    return this.#input
  }

  #setRaw(isRaw: boolean): void {
    if (isRaw === this.#isRaw || this.#isGone) return
    this.#isRaw = isRaw
    this.#opened().setRawMode?.(isRaw)
  }

  /** What comes together with a key that is a signal, and after it, is not heard. */
  readonly #read = (chunk: Buffer | string): void => {
    const bytes = Buffer.from(chunk)
    this.#isStopping = false
    for (const [index, byte] of bytes.entries()) {
      // As lines, the terminal has made signals of them itself.
      const act = this.#isRaw ? this.#meaningOf(byte) : undefined
      if (act === undefined) continue
      this.#pass(bytes.subarray(0, index))
      return act()
    }
    this.#pass(bytes)
  }

  #pass(bytes: Buffer): void {
    if (bytes.length > 0) this.#question?.typed(bytes)
  }

  #meaningOf(byte: number): (() => void) | undefined {
    switch (byte) {
      case ctrlC:
        return () => this.#ports.signal('SIGINT')
      case ctrlBackslash:
        return () => this.#ports.signal('SIGQUIT')
      case ctrlZ:
        return () => this.#stop()
      case ctrlD:
        // Readline would end with it, and leave a question that nobody can answer.
        return () => undefined
      default:
        return undefined
    }
  }

  #stop(): void {
    this.#drawn?.leaves()
    this.#letGo()
    this.#isStopping = true
    this.#ports.stop()
    this.#apply()
    this.#drawn?.returns()
  }

  /** While lines are typed, Ctrl-D ends them too: then the terminal is still there, and takes a mode. */
  #ended(): void {
    if (this.#isRaw) return this.#lost()
    this.#setRaw(true)
    this.#setRaw(false)
    if (!this.#isGone) this.#gone('SIGINT')
  }

  #lost(): void {
    if (!this.#isGone) this.#gone('SIGHUP')
  }

  #gone(signal: 'SIGINT' | 'SIGHUP'): void {
    this.#isGone = true
    this.#ports.signal(signal)
  }
}

/** Text with its Enter in one piece: nobody types so fast, and what was meant for another window answers nothing here. */
function isPasted(bytes: Buffer): boolean {
  const keys = stripVTControlCharacters(bytes.toString())
  return /[\r\n]/.test(keys) && /[^\r\n]/.test(keys)
}

class Question {
  readonly input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined })
  readonly what: Drawn
  readonly #by: AnsweredBy
  readonly #after: KeyboardPorts['after']
  readonly #changed: () => void
  #isTaking = false
  #taken: (() => void) | undefined
  #cancel: (() => void) | undefined

  constructor(by: AnsweredBy, what: Drawn, after: KeyboardPorts['after'], changed: () => void) {
    this.#by = by
    this.what = what
    this.#after = after
    this.#changed = changed
  }

  get takesLines(): boolean {
    return this.#isTaking && this.#by === 'lines'
  }

  drawn(taken: () => void): void {
    this.#taken = taken
    this.#wait()
  }

  typed(bytes: Buffer): void {
    if (this.#isTaking && this.#by === 'keys' && isPasted(bytes)) return
    if (this.#isTaking) this.input.write(bytes)
    else if (this.#taken !== undefined) this.#wait()
  }

  close(): void {
    this.#cancel?.()
    this.#taken = undefined
  }

  #wait(): void {
    this.#cancel?.()
    this.#cancel = this.#after(quietMs, () => {
      // Where the process had no time to look, what was typed meanwhile is read first, and waits are begun anew.
      const soon = setImmediate(() => {
        this.#isTaking = true
        this.#changed()
        this.#taken?.()
      })
      this.#cancel = () => clearImmediate(soon)
    })
  }
}
