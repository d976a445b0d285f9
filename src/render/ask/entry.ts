import { createPrompt, isEnterKey, useKeypress, useState } from '@inquirer/core'
import type { Paint } from '../color.js'
import type { Keys } from '../keyboard.js'
import type { Place } from '../stage.js'
import { widthOf } from '../text.js'
import { questionLines, type Card } from './card.js'
import { away, useKeys, useStage } from './standing.js'

export interface EntryConfig {
  readonly stage: Place
  readonly keys: Keys
  readonly paint: Paint
  readonly card: Card
}

const mark = '❯ '

/** A line of text. */
export const entry = createPrompt<string, EntryConfig>(({ stage, keys, paint, card }, done) => {
  const isAway = useStage(stage)
  const areTaken = useKeys(keys)
  const [text, setText] = useState('')
  useKeypress((key, rl) => {
    if (isEnterKey(key)) done(text)
    else setText(rl.line)
  })
  if (isAway) return away
  // Inquirer has the cursor in the last line; a text longer than the window goes on below it, as it does in a shell.
  const lines = 1 + Math.floor(widthOf(mark + text) / stage.columns)
  return `${stage.frame((room) => questionLines(card, room, undefined, paint), lines)}\n${areTaken ? mark + text : away}`
})
