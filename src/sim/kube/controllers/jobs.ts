import { kindOf } from '../kinds.js'
import { beginDeletion } from '../deletion.js'
import { count, hash, items, text, type Fields, type KubeObject } from '../object.js'
import { condition, leaving, phaseOf, setStatus, specOf, statusOf, type Context } from './context.js'
import { endPodOf, makePod, podsOf } from './replicas.js'

/** Jobs, as helm's hooks are: pods until enough have ended, or the deadline has passed. Pods of a world do not fail. */
export function jobController(context: Context): void {
  for (const job of context.store.list(kindOf('jobs.batch'))) {
    if (leaving(job)) continue
    if (isOver(job)) sweep(context, job)
    else advance(context, job)
  }
}

function isOver(job: KubeObject): boolean {
  return items(statusOf(job)['conditions']).some((one) => ['Complete', 'Failed'].includes(text(one['type'])) && one['status'] === 'True')
}

function advance(context: Context, job: KubeObject): void {
  const spec = specOf(job)
  const now = context.store.now()
  const pods = podsOf(context, job).filter((pod) => !leaving(pod))
  const done = pods.filter((pod) => phaseOf(pod) === 'Succeeded').length
  const active = pods.length - done
  const wanted = count(spec['completions'], count(spec['parallelism'], 1))
  const startTime = text(statusOf(job)['startTime']) || now
  const status: Fields = { startTime, ready: 0, terminating: 0, uncountedTerminatedPods: {}, ...(done === 0 ? {} : { succeeded: done }) }
  const deadline = spec['activeDeadlineSeconds']
  const dueMs = typeof deadline === 'number' ? Date.parse(startTime) + deadline * 1000 : Infinity
  if (done >= wanted) {
    const why = { status: 'True', reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' }
    const conditions = [condition(job, now, { type: 'SuccessCriteriaMet', ...why }), condition(job, now, { type: 'Complete', ...why })]
    setStatus(context, kindOf('jobs.batch'), job, { ...status, completionTime: now, conditions })
  } else if (context.nowMs() >= dueMs) {
    for (const pod of pods) endPodOf(context, pod)
    const why = { status: 'True', reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' }
    const conditions = [condition(job, now, { type: 'FailureTarget', ...why }), condition(job, now, { type: 'Failed', ...why })]
    setStatus(context, kindOf('jobs.batch'), job, { ...status, failed: active, conditions })
  } else {
    if (dueMs !== Infinity) context.wakeAt(dueMs)
    const more = spec['suspend'] === true ? 0 : Math.min(count(spec['parallelism'], 1), wanted - done) - active
    for (let number = 0; number < more; number += 1) {
      makePod(context, job, `${job.metadata.name}-${hash([job.metadata.uid, pods.length + number]).slice(0, 5)}`)
    }
    const running = active + Math.max(0, more)
    setStatus(context, kindOf('jobs.batch'), job, { ...status, ...(running === 0 ? {} : { active: running }) })
  }
}

/** Takes a finished Job away when its ttl says so. */
function sweep(context: Context, job: KubeObject): void {
  const ttl = specOf(job)['ttlSecondsAfterFinished']
  if (typeof ttl !== 'number') return
  const ended = items(statusOf(job)['conditions']).map((one) => Date.parse(text(one['lastTransitionTime'])))
  const dueMs = Math.max(...ended) + ttl * 1000
  if (context.nowMs() < dueMs) context.wakeAt(dueMs)
  else beginDeletion(context.store, kindOf('jobs.batch'), job, { propagationPolicy: 'Foreground' })
}
