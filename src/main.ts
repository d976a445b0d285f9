#!/usr/bin/env node
import { fileURLToPath } from 'node:url'
import { exitOfSignal } from './cli/exit.js'
import { Interrupts } from './cli/interrupts.js'
import { runProgram } from './cli/program.js'
import { Output } from './render/output.js'

const output = new Output(process)
const interrupts = new Interrupts()

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (interrupts.receive(signal)) return
    // The second one ends at once: Azure, helm and ssh go on without us, and the operator is told what with. A terminal has
    // written ^C where the cursor is.
    const lines = interrupts.leaving()
    if (lines.length > 0) output.sayLines(output.errorIsTerminal ? ['', ...lines] : lines)
    process.exit(exitOfSignal(signal))
  })
}

const code = await runProgram(process.argv.slice(2), {
  output,
  interrupts,
  env: process.env,
  self: fileURLToPath(import.meta.url),
})
await output.flushed()
process.exit(code)
