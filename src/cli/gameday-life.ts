import { createHash } from 'node:crypto'
import { readSync, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Answer, Operator } from '../contract/index.js'
import { exit } from './exit.js'
import { setClockAhead } from '../sim/world/set-clock.js'
import { tellingDescriptor, type LifeAnswer, type LifeClock, type LifeOrder, type LifeTells } from './gameday/life.js'
import type { Invocation } from './invocation.js'
import { thisMachine, type Surroundings } from './surroundings.js'

/**
 * `lifeboat gameday-life`, hidden: one command on a game day that is played for real. Standard input tells which; everything but who
 * answers its questions and who hears its events is as a person at this machine has it.
 */
export async function gamedayLife(_args: readonly string[], _options: object, invocation: Invocation): Promise<number> {
  const { program, output } = invocation
  const answers = new Map<number, (answer: Answer) => void>()
  const lines = createInterface({ input: output.streams.stdin })
  const order = await new Promise<LifeOrder | undefined>((resolve) => {
    let isOrdered = false
    lines.on('line', (line) => {
      const said = JSON.parse(line) as LifeOrder | LifeAnswer | LifeClock
      if ('clockAheadMs' in said) setClockAhead(said.clockAheadMs)
      if ('number' in said) return answered(answers, said)
      if (isOrdered || !('words' in said)) return
      isOrdered = true
      resolve(said)
    })
    lines.on('close', () => {
      if (!isOrdered) return resolve(undefined)
      // Whoever plays is gone, and with them the terminal.
      process.kill(process.pid, 'SIGHUP')
    })
  })
  if (program === undefined || order === undefined) return exit.usage
  const { words, seat, isAnswered } = order
  const here: Surroundings = {
    ...(seat === 'operator' ? thisMachine : anotherMachine),
    heard: (event) => tell({ event }),
    ...(isAnswered ? { operator: operatorBy(answers) } : {}),
  }
  return program(words, { ...invocation, here })
}

function answered(answers: Map<number, (answer: Answer) => void>, { number, answer }: LifeAnswer): void {
  answers.get(number)?.(answer)
  answers.delete(number)
}

/** Goes on when it was heard, and all that was to be done at this moment is done. */
function tell(line: LifeTells): void {
  let rest = Buffer.from(`${JSON.stringify(line)}\n`)
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(tellingDescriptor, rest))
    readSync(tellingDescriptor, Buffer.alloc(1))
  } catch {
    // Nobody hears it any more: standard input ends as well.
  }
}

function operatorBy(answers: Map<number, (answer: Answer) => void>): Operator {
  let asked = 0
  return {
    name: 'game day',
    present: true,
    ask: (question, signal) =>
      new Promise((resolve, reject) => {
        const number = (asked += 1)
        signal.throwIfAborted()
        answers.set(number, resolve)
        signal.addEventListener('abort', () => {
          answers.delete(number)
          tell({ withdrawn: number })
          reject(signal.reason as Error)
        }, { once: true })
        tell({ question, number })
      }),
  }
}

const colleague = { user: 'colleague', host: 'laptop' } as const

/** This machine under another name: a second one is not to be had here. It sees no process of the first. */
const anotherMachine: Surroundings = {
  ...thisMachine,
  processes: {
    ...thisMachine.processes,
    host: colleague.host,
    machine: async () => createHash('sha256').update(colleague.host).digest('hex').slice(0, 16),
    self: async () => ({ ...(await thisMachine.processes.self()), ...colleague }),
  },
  survivors: (mark, clock) => ({ ...thisMachine.survivors(mark, clock), marked: async () => [] }),
}
