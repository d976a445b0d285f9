import { hostLock } from '../ssh/door.js'
import type { Question } from './ask.js'
import { failed } from './run.js'

/**
 * Is something that writes at work on the host: of this run, of an earlier life, or of a run from another machine that was displaced?
 * What it has begun is in no list before it ends (`zpool import`), so that a look without this one proves nothing. To be asked first:
 * what is done after an answer of "no" was not begun before it. A lock that is held is told by exit code 0 and no word.
 */
export const atWork: Question<boolean> = {
  command: ['sudo', '-n', 'flock', '-n', '-s', '-E', '0', hostLock, 'echo', 'free'],
  read(result, { at }) {
    if (result.exitCode !== 0) throw failed(at, atWork.command, result)
    return result.stdout.trim() !== 'free'
  },
}
