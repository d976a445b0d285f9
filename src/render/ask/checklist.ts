import { createPrompt, isDownKey, isEnterKey, isSpaceKey, isUpKey, useKeypress, useState } from '@inquirer/core'
import type { Paint } from '../color.js'
import type { Keys } from '../keyboard.js'
import type { Place, Room } from '../stage.js'
import { wrap } from '../text.js'
import { questionLines, type Card } from './card.js'
import { away, useKeys, useStage } from './standing.js'

export interface ChecklistConfig {
  readonly stage: Place
  readonly keys: Keys
  readonly paint: Paint
  readonly card: Card
  readonly items: readonly string[]
}

/** Items to be ticked, each by itself: nothing ticks all of them at once, for each is to be done. */
export const checklist = createPrompt<readonly number[], ChecklistConfig>(({ stage, keys, paint, card, items }, done) => {
  const isAway = useStage(stage)
  const areTaken = useKeys(keys)
  const [active, setActive] = useState(0)
  const [ticked, setTicked] = useState<readonly number[]>([])
  useKeypress((key, rl) => {
    rl.clearLine(0)
    if (isEnterKey(key)) done([...ticked].sort((a, b) => a - b))
    else if (isUpKey(key)) setActive(Math.max(0, active - 1))
    else if (isDownKey(key)) setActive(Math.min(items.length - 1, active + 1))
    else if (isSpaceKey(key)) setTicked(ticked.includes(active) ? ticked.filter((one) => one !== active) : [...ticked, active])
  })
  if (isAway) return away
  return stage.frame((room) => {
    const answers = itemLines(items, areTaken ? active : -1, ticked, room, paint)
    const help = (isPart: boolean): string => `  ↑ ↓, Space ticks, Enter ends${isPart ? ` ${active + 1}/${items.length}` : ''}`
    const line = Math.floor((active * answers.length) / items.length)
    return questionLines(card, room, { answers, active: line, help: areTaken ? help : () => away }, paint)
  })
})

function itemLines(items: readonly string[], active: number, ticked: readonly number[], { columns }: Room, paint: Paint): string[] {
  return items.flatMap((item, index) => {
    const mark = `${index === active ? '❯' : ' '} ${ticked.includes(index) ? '◉' : '◯'} `
    const lines = wrap(item, columns - 5).map((text, line) => (line === 0 ? mark : '    ') + text)
    return index === active ? lines.map((text) => paint('cyan', text)) : lines
  })
}
