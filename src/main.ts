#!/usr/bin/env node
import { isatty } from 'node:tty'
import { fileURLToPath } from 'node:url'
import { exitOfSignal } from './cli/exit.js'
import { Interrupts } from './cli/interrupts.js'
import { keyboardOf } from './cli/keyboard.js'
import { runProgram } from './cli/program.js'
import { Output } from './render/output.js'
import { wrapAdvice } from './render/text.js'

const isAtTerminal = [0, 1, 2].some((fd) => isatty(fd))
const output = new Output(process)
const interrupts = new Interrupts()
const keyboard = keyboardOf(process, interrupts)

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupts.hear(signal))
process.on('SIGCONT', () => keyboard.continued())
process.on('exit', () => keyboard.giveBack())

// The second one ends at once: Azure, helm and ssh go on without us, and the operator is told what with. A terminal has
// written ^C where the cursor is.
interrupts.atOnce = (signal) => {
  const lines = interrupts.leaving()
  if (lines.length > 0) output.sayLines(output.errorIsTerminal ? ['', ...lines.flatMap(fitted)] : lines)
  end(exitOfSignal(signal))
}

const code = await runProgram(process.argv.slice(2), {
  output,
  interrupts,
  keyboard,
  // As it is now: some of it is taken from the SDKs before they are loaded (platform/azure/ambient.ts).
  env: { ...process.env },
  self: fileURLToPath(import.meta.url),
})
await output.flushed()
end(code)

/** Broken between words; a path at the end stands whole, to be copied. */
function fitted(text: string): readonly string[] {
  return /: \/\S+$/.test(text) ? [text] : wrapAdvice(text, output.columns - 1)
}

function end(exitCode: number): void {
  keyboard.giveBack()
  // Node gives a terminal its mode back when it exits, and aborts where that fails: one that has gone takes none. So the process dies
  // of the signal, as it would without us; a shell calls that 129, too.
  if (isAtTerminal && interrupts.hungUp) {
    process.removeAllListeners('SIGHUP')
    process.kill(process.pid, 'SIGHUP')
  }
  process.exit(exitCode)
}
