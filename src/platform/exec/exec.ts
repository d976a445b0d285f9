import type { ExecOptions } from './command.js'
import { isExecutable } from './find.js'
import { Runner } from './runner.js'
import { startHeld, startReader } from './spawn.js'
import { thisMachine } from './processes.js'

export type { Command, Exec, ExecOptions, Finished } from './command.js'

/** The one place that starts processes of this machine. */
export class SystemExec extends Runner {
  constructor(options: ExecOptions) {
    super(options, {
      ...thisMachine,
      canRun: isExecutable,
      startReader: (command) => startReader(command, options),
      startHeld: (command, survivor) => startHeld(command, survivor, options),
    })
  }
}
