import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import headless from '@xterm/headless'
import { bareEnv, root } from './cli.js'
import { searchSaid, watchingProcesses } from './leaks.js'

/** `script` of util-linux gives a program a real terminal of the kernel's. A machine that tests in earnest has it. */
export const hasTerminals = process.env['CI'] === 'true' || isUtilLinux(spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout)

export const keys = { down: '\u001b[B', up: '\u001b[A', enter: '\r', ctrlC: '\u0003', space: ' ' } as const

/** The mark before what Enter would answer, or the line that says what to type. */
const takesKeys = /^❯( |$)|(Enter|please):\s*(?![^])/m

export interface TerminalOptions {
  readonly columns?: number
  readonly rows?: number
  readonly env?: Readonly<Record<string, string>>
  /** Another program than the built CLI: a shell that calls it, say. */
  readonly program?: readonly string[]
}

export interface TerminalSession {
  /** The lines that a person sees now, without blanks at their ends and blank lines below the last. */
  screen(): string[]
  /** All lines since the start that have not been taken away, those that have scrolled off first. */
  scrolled(): string[]
  /** Resolves once the screen shows this; rejects with what was on it if the program ends before or hangs. */
  waitFor(text: string | RegExp): Promise<void>
  /** As a person types: a question that stands is answered once one sees that it takes keys. Ctrl-C is pressed at once. */
  type(text: string): void
  /** Keys at once, whoever takes them. */
  press(text: string): void
  /** The window is closed. The program may live on for a while: nobody sees it any more, and `ended` tells nothing of it. */
  hangUp(): void
  /** Everything that was written, as it was. */
  raw(): string
  /** The window's size, as a window manager changes it: the program gets SIGWINCH. */
  resize(columns: number, rows: number): void
  /** Process id of the program. */
  readonly pid: () => number
  /** Its exit code, once it is over and all that it wrote is on the screen. */
  readonly ended: Promise<number>
}

/** Runs the real, built CLI in a real terminal of 80 × 24. What it writes is shown by xterm's own engine, without a window. */
export function inTerminal(args: readonly string[], options: TerminalOptions = {}): TerminalSession {
  const { columns = 80, rows = 24, env = {} } = options
  const folder = mkdtempSync(join(tmpdir(), 'lifeboat-tty-'))
  const facts = join(folder, 'tty')
  const program = [...(options.program ?? [process.execPath, join(root, 'dist/main.js')]), ...args].map(quoted).join(' ')
  const command = `stty rows ${rows} cols ${columns}; tty > ${quoted(facts)}; echo $$ >> ${quoted(facts)}; exec ${program}`
  const child = spawn('script', ['-qefc', command, '/dev/null'], {
    cwd: root,
    env: { ...watchingProcesses(), ...bareEnv({ TERM: 'xterm-256color', SHELL: '/bin/sh', LOGNAME: 'ada', ...env }) },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const terminal = new headless.Terminal({ cols: columns, rows, scrollback: 5000, allowProposedApi: true })
  const watchers = new Set<() => void>()
  let code: number | undefined
  const look = (): void => watchers.forEach((watch) => watch())
  let raw = ''
  let typed = Promise.resolve()
  const press = (text: string): void => void child.stdin.write(text)
  child.stdout.on('data', (bytes: Buffer) => {
    raw += bytes.toString()
    terminal.write(bytes, look)
  })
  const ended = new Promise<number>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (exitCode) => {
      // Written last, so shown after all else.
      terminal.write('', () => {
        code = exitCode ?? -1
        searchSaid(`the screen of ${args.slice(0, 2).join(' ')}`, `${raw}${lines(0).join('\n')}`)
        look()
        resolve(code)
      })
    })
  })
  const factsOf = (): string[] => readFileSync(facts, 'utf8').split('\n')
  const lines = (from: number): string[] => {
    const { active } = terminal.buffer
    const all = Array.from({ length: active.length - from }, (_, index) => active.getLine(from + index)?.translateToString(true) ?? '')
    return all.join('\n').trimEnd().split('\n')
  }
  const screen = (): string[] => lines(terminal.buffer.active.baseY)
  const waitFor: TerminalSession['waitFor'] = (text) =>
    new Promise((resolve, reject) => {
      const hanging = setTimeout(() => give(`it did not show ${String(text)} in a minute`), 60_000)
      const give = (what: string): void => {
        watchers.delete(watch)
        reject(new Error(`${what}:\n${lines(0).join('\n')}`))
      }
      const watch = (): void => {
        const shown = screen().join('\n')
        const there = typeof text === 'string' ? shown.includes(text) : text.test(shown)
        if (!there && code === undefined) return
        clearTimeout(hanging)
        if (!there) return give(`it ended with ${code ?? ''} before the screen showed ${String(text)}`)
        watchers.delete(watch)
        resolve()
      }
      watchers.add(watch)
      watch()
    })
  return {
    screen,
    scrolled: () => lines(0),
    waitFor,
    hangUp: () => void child.kill('SIGKILL'),
    raw: () => raw,
    press,
    type: (text) => {
      if (text === keys.ctrlC || options.program !== undefined) return press(text)
      // What is not typed since the program has ended is told by whatever the test waits for next.
      typed = typed.then(() => waitFor(takesKeys)).then(() => press(text), () => undefined)
    },
    resize: (newColumns, newRows) => {
      terminal.resize(newColumns, newRows)
      execFileSync('stty', ['-F', factsOf()[0] ?? '', 'rows', String(newRows), 'cols', String(newColumns)])
    },
    pid: () => Number(factsOf()[1]),
    ended,
  }
}

/** Others of that name have other options. */
function isUtilLinux(version: string | null): boolean {
  return version?.includes('util-linux') === true
}

function quoted(text: string): string {
  return `'${text.replaceAll('\'', '\'\\\'\'')}'`
}
