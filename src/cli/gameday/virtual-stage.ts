import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { RunEvent } from '../../contract/index.js'
import { Incarnation } from '../../virtual/incarnation.js'
import { Stage, type StageOptions } from '../trial/stage.js'
import type { Beside } from '../trial/typed.js'
import type { GameStage, SeatName, Typed } from './stage.js'

/** A stage in this process, where time is virtual: the same seed gives the same events. */
export async function openVirtualStage(options: StageOptions): Promise<GameStage> {
  const stage = await Stage.open(options)
  const { operator, colleague, within } = stage.scene
  for (const { stateDir } of [operator, colleague]) await knownDigestKey(stateDir, options.seed)
  return {
    parts: within,
    folder: dirname(operator.stateDir),
    get openIntents() {
      return stage.openIntents
    },
    hasIntent: (step, life) => stage.hasIntent(step, life),
    atWork: (but) => stage.atWork(but),
    type: (words, seat, beside) => typeOn(stage, words, seat, beside),
    setClock: (aheadMs) => void (operator.machine.clockAheadMs += aheadMs),
    killAll: async (program) => operator.machine.killAll(program),
    pass: (work) => stage.pass(work),
    close: () => stage.close(),
  }
}

function typeOn(stage: Stage, words: readonly string[], seat: SeatName, beside: Beside): Typed {
  const life = new Incarnation()
  const heard = (event: RunEvent): void => {
    if (!life.isOver) beside.heard?.(event)
  }
  return { lived: stage.command(words, life, { ...beside, heard }, stage.scene[seat]), kill: () => life.die() }
}

/** Digests of secrets stand in events: by a key of chance they would be others each time. */
async function knownDigestKey(stateDir: string, seed: number): Promise<void> {
  await mkdir(stateDir, { recursive: true, mode: 0o700 })
  await writeFile(join(stateDir, 'digest.key'), createHash('sha256').update(`game day ${seed}`).digest(), { mode: 0o600 })
}
