import { createPrompt, isDownKey, isEnterKey, isUpKey, useKeypress, useState } from '@inquirer/core'
import type { Paint } from '../color.js'
import type { Keys } from '../keyboard.js'
import type { Place, Room } from '../stage.js'
import { wrap } from '../text.js'
import { questionLines, type Card, type Choice } from './card.js'
import { away, useKeys, useStage } from './standing.js'

export interface ChooseConfig {
  readonly stage: Place
  readonly keys: Keys
  readonly paint: Paint
  readonly card: Card
  readonly choices: readonly Choice<string>[]
}

const hideCursor = '\u001b[?25l'

/** One answer out of a few, by arrow keys, or by its number. */
export const choose = createPrompt<string, ChooseConfig>(({ stage, keys, paint, card, choices }, done) => {
  const isAway = useStage(stage)
  const areTaken = useKeys(keys)
  const [active, setActive] = useState(0)
  useKeypress((key, rl) => {
    // What is typed is no text here.
    rl.clearLine(0)
    const number = Number(key.name)
    if (isEnterKey(key)) done(choices[active]?.value ?? '')
    else if (isUpKey(key)) setActive(Math.max(0, active - 1))
    else if (isDownKey(key)) setActive(Math.min(choices.length - 1, active + 1))
    else if (number >= 1 && number <= choices.length) setActive(number - 1)
  })
  if (isAway) return away
  return stage.frame((room) => {
    const answers = answerLines(choices, areTaken ? active : -1, room, paint)
    const help = (isPart: boolean): string => `  ↑ ↓ and Enter${isPart ? ` ${active + 1}/${choices.length}` : ''}`
    const line = Math.floor((active * answers.length) / choices.length)
    return questionLines(card, room, { answers, active: line, help: areTaken ? help : () => away }, paint)
  }) + hideCursor
})

function answerLines(choices: ChooseConfig['choices'], active: number, { columns }: Room, paint: Paint): string[] {
  return choices.flatMap(({ name }, index) => {
    const lines = wrap(name, columns - 3)
    const marked = lines.map((text, line) => `${index === active && line === 0 ? '❯' : ' '} ${text}`)
    return index === active ? marked.map((text) => paint('cyan', text)) : marked
  })
}
