import type { Outcome } from '../contract/index.js'

/** Exit codes (design §8). */
export const exit = {
  done: 0,
  failed: 1,
  usage: 2,
  declined: 3,
  notReady: 4,
  locked: 5,
  changes: 10,
} as const

const signalCodes: Readonly<Record<string, number>> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }

export function exitOfSignal(signal: string): number {
  return signalCodes[signal] ?? 130
}

export function exitOf(outcome: Outcome, interruptedBy: string | undefined): number {
  switch (outcome) {
    case 'succeeded':
      return exit.done
    case 'declined':
      return exit.declined
    case 'failed':
      return exit.failed
    case 'interrupted':
      return exitOfSignal(interruptedBy ?? 'SIGINT')
  }
}
