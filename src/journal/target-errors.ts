import { LifeboatError } from '../contract/index.js'
import type { Mark } from './mark.js'

/** `run R of ann on laptop (pid 12, since …, last heard of 9 s ago)`. `now` is real time. */
export function sayLife({ run, person, host, pid, since, heartbeat }: Mark, now: Date): string {
  const silentMs = now.getTime() - Date.parse(heartbeat)
  const heard = Number.isFinite(silentMs) ? `last heard of ${sayAge(Math.max(0, silentMs))} ago` : 'heartbeat unreadable'
  return `run ${run} of ${person || 'somebody'} on ${host || 'an unknown host'} (pid ${pid}, since ${since.slice(0, 16)}Z, ${heard})`
}

function sayAge(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 120) return `${seconds} s`
  return seconds < 2 * 3600 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`
}

/** Somebody is at work on the target, or may be: exit code 5. */
export function targetHeld(mark: Mark, groups: readonly string[], isHere: boolean, now: Date): LifeboatError {
  const told = isHere ? '' : '; whether it still runs cannot be told from here'
  return new LifeboatError('target.held', `${sayLife(mark, now)} is at work on ${groups.join(', ')}${told}`, {
    blame: 'user',
    hint: isHere
      ? 'Wait for it, or stop it with Ctrl-C. --take-over displaces it: two runs at once can lose data.'
      : `Wait for it, or stop it there with Ctrl-C. If it is not at work on ${mark.host || 'its host'} any more, give --take-over.`,
  })
}

/** An undo of a run after which another one has worked there. */
export function laterRun(undoes: string, mark: Mark, groups: readonly string[], now: Date): LifeboatError {
  return new LifeboatError('undo.later-run', `${sayLife(mark, now)} has worked on ${groups.join(', ')} since ${undoes}, which is to be undone`, {
    blame: 'user',
    hint: 'What it has put into use would be taken away with what that older run made. Undo the later one first, where it was run. If it has only gone on from the older one (after a reboot, say), give --accept-changes.',
  })
}

/** Another run has taken the target over from this one: exit code 5. */
export function targetLost(run: string, mark: Mark, group: string, now: Date): LifeboatError {
  return new LifeboatError('target.lost', `${group} was taken over from run ${run} by ${sayLife(mark, now)}`, {
    blame: 'user',
    hint: 'This run stops where it is and writes nothing more. `lifeboat plan` says who is at work.',
  })
}

/** `--take-over`, where nothing could be written by which the other would notice: exit code 5. */
export function cannotDisplace(mark: Mark, groups: readonly string[], now: Date): LifeboatError {
  return new LifeboatError('target.held', `${groups.join(', ')} is locked, so ${sayLife(mark, now)} cannot be told to stop`, {
    blame: 'user',
    hint: 'A move locks its groups until it ends. Wait for that, or make sure there that the other has stopped.',
  })
}

/** Told at the end of a run that cannot vouch for what earlier ones have begun. */
export const stillAtWork =
  'What an earlier run began may still be at work; the resource groups go on saying so. The next run from this machine looks for it again; ' +
  'one from another machine needs --take-over.'
