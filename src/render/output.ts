/** What a stream must offer; `process.stdout` and `process.stderr` do. */
export interface TextStream {
  write(text: string, written?: () => void): boolean
  on(event: 'error', listener: () => void): unknown
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

/** The process's streams, as `main` hands them over. */
export interface Streams {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly stdout: TextStream & NodeJS.WritableStream
  readonly stderr: TextStream & NodeJS.WritableStream
}

/**
 * The one place that writes to the terminal: data to standard output, what is said to people to standard error. A reader
 * that has gone away (`lifeboat runs | head`) is no reason to fail, least of all in mid-failover: what is meant for it is
 * dropped.
 */
export class Output {
  readonly streams: Streams
  readonly #closed = new Set<TextStream>()
  #hasData = false
  readonly #lostListeners: ((name: 'output' | 'error') => void)[] = []

  constructor(streams: Streams) {
    this.streams = streams
    for (const stream of [streams.stdout, streams.stderr]) {
      stream.on('error', () => this.#lose(stream))
    }
  }

  /** Told once for each stream whose reader has gone away, also if that was before. */
  whenLost(listener: (name: 'output' | 'error') => void): void {
    this.#lostListeners.push(listener)
    for (const stream of this.#closed) listener(this.#nameOf(stream))
  }

  #lose(stream: TextStream): void {
    if (this.#closed.has(stream)) return
    this.#closed.add(stream)
    for (const listener of this.#lostListeners) listener(this.#nameOf(stream))
  }

  #nameOf(stream: TextStream): 'output' | 'error' {
    return stream === this.streams.stdout ? 'output' : 'error'
  }

  /** Has anything gone to standard output, or would have? */
  get hasData(): boolean {
    return this.#hasData
  }

  /** Standard output: data. */
  data(text: string): void {
    this.#hasData ||= text !== ''
    this.#write(this.streams.stdout, text)
  }

  /** Standard error: everything said to people. */
  say(text: string): void {
    this.#write(this.streams.stderr, text)
  }

  /** Lines to people; each gets its line break. */
  sayLines(lines: readonly string[]): void {
    if (lines.length > 0) this.say(`${lines.join('\n')}\n`)
  }

  get inputIsTerminal(): boolean {
    return this.streams.stdin.isTTY === true
  }

  get outputIsTerminal(): boolean {
    return this.streams.stdout.isTTY === true
  }

  get errorIsTerminal(): boolean {
    return this.streams.stderr.isTTY === true
  }

  /** Width to lay out data for: the terminal's, or wide where a file or a pipe takes it. */
  get dataColumns(): number {
    return this.outputIsTerminal ? (this.streams.stdout.columns ?? 80) : 160
  }

  /** Width to lay out for people, in columns: the terminal's, or 100 where there is none. */
  get columns(): number {
    return this.errorIsTerminal ? (this.streams.stderr.columns ?? 80) : 100
  }

  get rows(): number {
    return this.streams.stderr.rows ?? 24
  }

  /** Resolves once everything written has been handed over: pipes are asynchronous, and ending the process loses the rest. */
  async flushed(): Promise<void> {
    await Promise.all([this.streams.stdout, this.streams.stderr].map((stream) => this.#drained(stream)))
  }

  #drained(stream: TextStream): Promise<void> {
    if (this.#closed.has(stream)) return Promise.resolve()
    return new Promise((resolve) => {
      // Called when all that was written before is out, and also when that failed.
      stream.write('', resolve)
    })
  }

  #write(stream: TextStream, text: string): void {
    if (text !== '' && !this.#closed.has(stream)) stream.write(text)
  }
}
