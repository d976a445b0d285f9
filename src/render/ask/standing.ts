import { useEffect, useState } from '@inquirer/core'
import type { Keys } from '../keyboard.js'
import type { Place } from '../stage.js'

/** What a prompt draws where nothing is to be seen: inquirer adds a line to an empty one. */
export const away = ' '

/**
 * Makes a prompt part of the stage: its first picture waits for the live view to give way, the stage has it drawn again when the
 * live view has changed, and may take it away for a moment to write above it. True while it is away.
 */
export function useStage(stage: Place): boolean {
  // Inquirer draws again when this changes, so each picture has a number of its own; 0 is none.
  const [picture, setPicture] = useState(() => {
    stage.opens()
    return 1
  })
  useEffect(() => {
    let last = 1
    stage.stands({
      hide: () => setPicture(0),
      show: () => setPicture((last += 1)),
    })
    return () => stage.closes()
  }, [])
  return picture === 0
}

/** True once keys answer the question. Until then it is drawn without the mark and the help by which one sees that they do. */
export function useKeys(keys: Keys): boolean {
  const [areTaken, setTaken] = useState(false)
  useEffect(() => keys.drawn(() => setTaken(true)), [])
  return areTaken
}
