import type { CloudFacts, EventOf, Mode } from '../contract/index.js'
import { formatDuration, LocalTimes } from './times.js'
import { count, oneLine } from './text.js'

/** `in a simulated world, nothing real is touched` is never said of a real cloud, and a real cloud is always named. */
export function sayWhere(mode: Mode, cloud: CloudFacts): string {
  const name = oneLine(cloud.name)
  return mode === 'rehearsal'
    ? `in the simulated world ${name}; nothing real is touched`
    : `on ${name}, subscription ${oneLine(cloud.subscription)} (${oneLine(cloud.resourceManager)})`
}

/** What is about to happen, and where: so that nobody acts in the wrong place. */
export function sayStart(event: EventOf<'run.started'>): string {
  const what = sayWhat(event.mode, event.undoes)
  const again = event.resumed ? ', resumed' : ''
  return `${event.runbook}: ${what}${again}, run ${event.run}, ${sayWhere(event.mode, event.cloud)}`
}

interface Clocks {
  readonly now: Date
  readonly realNow: Date
}

/** What clock the times on the screen are of, where it is not the wall's. `speed`: seconds of the world in one of the wall's. */
export function sayWorldTime({ now, realNow }: Clocks, speed: number, times = new LocalTimes()): string | undefined {
  if (speed === 1 && Math.abs(now.getTime() - realNow.getTime()) < 60_000) return undefined
  const rate = speed === 1 ? '' : `, ${speed} times as fast`
  return `Times are the world's: it is ${times.date(now)} ${times.minute(now)} ${times.zone(now)} there${rate}.`
}

/** `A failover on …, subscription ….`: over a plan, and over the question that asks for it. */
export function sayWhatAndWhere(mode: Mode, cloud: CloudFacts, undoes?: string): string {
  const what = sayWhat(mode, undoes)
  return `${/^[aeiou]/.test(what) ? 'An' : 'A'} ${what} ${sayWhere(mode, cloud)}.`
}

/** `failover`, `rehearsal of the failover`, or the undo of one. */
export function sayWhat(mode: Mode, undoes?: string): string {
  const what = mode === 'rehearsal' ? 'rehearsal of the failover' : 'failover'
  return undoes === undefined ? what : `undo of the ${what} ${oneLine(undoes)}`
}

/** The plan in one line, once the run has begun; `plan-view.ts` shows it whole. */
export function sayPlanned(event: EventOf<'run.planned'>): string {
  const changes = event.steps.reduce((sum, step) => sum + step.changes.length, 0)
  const parts = [`${count(changes, 'change')} in ${count(event.steps.filter((step) => step.changes.length > 0).length, 'step')}`]
  if (changes > 0) parts.push(`expected to take ${formatDuration(event.totalMs)}`)
  parts.push(`first harm: ${event.firstHarm ?? 'none'}`, `point of no return: ${event.pointOfNoReturn ?? 'none'}`)
  return `planned: ${parts.join('; ')}`
}
