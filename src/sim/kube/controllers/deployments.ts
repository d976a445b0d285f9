import { kindOf } from '../kinds.js'
import { controllerOf, copy, count, fields, hash, items, ownedBy, text, texts, type Fields, type KubeObject } from '../object.js'
import { adopt, leaving, make, setStatus, specOf, statusOf, updatedCondition, type Context, type Controller } from './context.js'
import { podsOf } from './replicas.js'

const revisionNote = 'deployment.kubernetes.io/revision'

interface Rollout {
  readonly deployment: KubeObject
  readonly current: KubeObject | undefined
  readonly old: readonly KubeObject[]
}

/** Deployments: a ReplicaSet for each template, rolled over from the old ones, and a deadline for getting on with it. */
export function deploymentController(): Controller {
  /** When each deployment last got on, by uid. */
  const progress = new Map<string, { mark: string; atMs: number }>()
  return (context) => {
    for (const deployment of context.store.list(kindOf('deployments.apps'))) {
      adopt(context, kindOf('replicasets.apps'), deployment)
      const rollout = look(context, deployment)
      if (!leaving(deployment)) roll(context, rollout)
      report(context, look(context, deployment), progress)
    }
  }
}

/** What is in the store never changes, and it is asked for at every look. */
const hashes = new WeakMap<KubeObject, string>()

function templateHash(deployment: KubeObject): string {
  const known = hashes.get(deployment) ?? hash(specOf(deployment)['template'])
  hashes.set(deployment, known)
  return known
}

function look(context: Context, deployment: KubeObject): Rollout {
  const sets = context.store
    .list(kindOf('replicasets.apps'), deployment.metadata.namespace)
    .filter((set) => controllerOf(set)?.uid === deployment.metadata.uid)
  const name = `${deployment.metadata.name}-${templateHash(deployment)}`
  return { deployment, current: sets.find((set) => set.metadata.name === name), old: sets.filter((set) => set.metadata.name !== name) }
}

function replicasOf(set: KubeObject | undefined): number {
  return set === undefined ? 0 : count(specOf(set)['replicas'])
}

function availableOf(set: KubeObject): number {
  return count(statusOf(set)['availableReplicas'])
}

function revisionOf(object: KubeObject | undefined): number {
  return Number(object?.metadata.annotations?.[revisionNote] ?? 0)
}

function roll(context: Context, { deployment, current, old }: Rollout): void {
  const spec = specOf(deployment)
  const wanted = count(spec['replicas'], 1)
  if (spec['paused'] === true) {
    if (current) scale(context, current, wanted)
    return
  }
  const recreate = fields(spec['strategy'])['type'] === 'Recreate'
  if (recreate) {
    for (const set of old) scale(context, set, 0)
    if (old.some((set) => podsOf(context, set).length > 0)) return
  }
  const revision = Math.max(0, ...old.map(revisionOf)) + 1
  const set = current ?? makeSet(context, deployment, revision)
  if (!set) return
  // An old template taken up again becomes the newest.
  if (revisionOf(set) < revision) note(context, set, revision)
  const newest = Math.max(revision, revisionOf(set))
  if (revisionOf(deployment) !== newest) noteDeployment(context, deployment, newest)
  const { surge, unavailable } = limits(spec, wanted, recreate)
  const total = replicasOf(set) + old.reduce((sum, one) => sum + replicasOf(one), 0)
  const room = wanted + surge - total
  if (replicasOf(set) > wanted) scale(context, set, wanted)
  else if (room > 0) scale(context, set, Math.min(wanted, replicasOf(set) + room))
  // Old pods go as new ones come, never below what must stay available.
  const available = availableOf(set) + old.reduce((sum, one) => sum + availableOf(one), 0)
  let spare = available - (wanted - unavailable)
  for (const one of old) {
    const unready = replicasOf(one) - availableOf(one)
    const less = Math.min(replicasOf(one), Math.max(0, unready + Math.max(0, spare)))
    if (less > 0) scale(context, one, replicasOf(one) - less)
    spare -= Math.max(0, less - unready)
  }
  const kept = count(spec['revisionHistoryLimit'], 10)
  const empty = old.filter((one) => replicasOf(one) === 0 && count(statusOf(one)['replicas']) === 0)
  for (const one of empty.sort((a, b) => revisionOf(b) - revisionOf(a)).slice(kept)) context.store.remove(kindOf('replicasets.apps'), one)
}

/** maxSurge rounds up, maxUnavailable down; both zero would never move. */
function limits(spec: Fields, wanted: number, recreate: boolean): { surge: number; unavailable: number } {
  if (recreate) return { surge: 0, unavailable: wanted }
  const { maxSurge, maxUnavailable } = fields(fields(spec['strategy'])['rollingUpdate'])
  const of = (value: unknown, round: (x: number) => number): number =>
    typeof value === 'number' ? value : round((wanted * Number.parseInt(text(value) || '25', 10)) / 100)
  const surge = of(maxSurge, Math.ceil)
  const unavailable = of(maxUnavailable, Math.floor)
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable }
}

function makeSet(context: Context, deployment: KubeObject, revision: number): KubeObject | undefined {
  const spec = specOf(deployment)
  const word = templateHash(deployment)
  const label = { 'pod-template-hash': word }
  const template = copy(fields(spec['template']))
  const meta = fields(template['metadata'])
  const labels = { ...texts(meta['labels']), ...label }
  const selector = fields(spec['selector'])
  return make(context, kindOf('replicasets.apps'), {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${deployment.metadata.name}-${word}`,
      namespace: deployment.metadata.namespace ?? '',
      labels,
      annotations: { [revisionNote]: String(revision) },
      ownerReferences: [ownedBy(deployment)],
    },
    spec: {
      replicas: 0,
      selector: { ...selector, matchLabels: { ...texts(selector['matchLabels']), ...label } },
      template: { ...template, metadata: { ...meta, labels } },
    },
    status: { replicas: 0 },
  }, deployment)
}

function scale(context: Context, set: KubeObject, replicas: number): void {
  context.store.edit(kindOf('replicasets.apps'), set, (draft) => {
    fields(draft['spec'])['replicas'] = replicas
  })
}

function note(context: Context, set: KubeObject, revision: number): void {
  if (set.metadata.annotations?.[revisionNote] === String(revision)) return
  context.store.edit(kindOf('replicasets.apps'), set, (draft) => {
    draft.metadata.annotations = { ...draft.metadata.annotations, [revisionNote]: String(revision) }
  })
}

function noteDeployment(context: Context, deployment: KubeObject, revision: number): void {
  if (deployment.metadata.annotations?.[revisionNote] === String(revision)) return
  context.store.edit(kindOf('deployments.apps'), deployment, (draft) => {
    draft.metadata.annotations = { ...draft.metadata.annotations, [revisionNote]: String(revision) }
  })
}

function report(context: Context, { deployment, current, old }: Rollout, progress: Map<string, { mark: string; atMs: number }>): void {
  const now = context.store.now()
  const sets = current === undefined ? old : [current, ...old]
  const sum = (field: string): number => sets.reduce((total, set) => total + count(statusOf(set)[field]), 0)
  const spec = specOf(deployment)
  const wanted = count(spec['replicas'], 1)
  const replicas = sum('replicas')
  const available = sum('availableReplicas')
  const updated = current === undefined ? 0 : count(statusOf(current)['replicas'])
  const enough = available >= wanted - limits(spec, wanted, false).unavailable
  const complete = updated === wanted && replicas === wanted && available === wanted && current !== undefined
  const moment = { replicas, available, updated, generation: deployment.metadata.generation, set: current?.metadata.name }
  const { name = '' } = current?.metadata ?? {}
  const state = progressing(context, deployment, JSON.stringify(moment), complete, progress)
  const some = (field: string, value: number): Fields => (value === 0 ? {} : { [field]: value })
  setStatus(context, kindOf('deployments.apps'), deployment, {
    observedGeneration: deployment.metadata.generation,
    ...some('replicas', replicas),
    ...some('updatedReplicas', updated),
    ...some('readyReplicas', sum('readyReplicas')),
    ...some('availableReplicas', available),
    ...some('unavailableReplicas', Math.max(0, Math.max(wanted, replicas) - available)),
    conditions: [
      updatedCondition(deployment, now, enough
        ? { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.' }
        : { type: 'Available', status: 'False', reason: 'MinimumReplicasUnavailable', message: 'Deployment does not have minimum availability.' }),
      updatedCondition(deployment, now, { type: 'Progressing', ...state(name) }),
    ],
  })
}

type Progressing = (set: string) => { status: string; reason: string; message: string }

/** Has it got on within progressDeadlineSeconds? Pulling an image is no progress. */
function progressing(
  context: Context,
  deployment: KubeObject,
  mark: string,
  complete: boolean,
  progress: Map<string, { mark: string; atMs: number }>,
): Progressing {
  const uid = deployment.metadata.uid ?? ''
  const last = progress.get(uid)
  if (last?.mark !== mark) progress.set(uid, { mark, atMs: context.nowMs() })
  const done: Progressing = (set) => ({ status: 'True', reason: 'NewReplicaSetAvailable', message: `ReplicaSet "${set}" has successfully progressed.` })
  if (complete) return done
  const old = items(statusOf(deployment)['conditions']).find((one) => one['type'] === 'Progressing')
  const sameTemplate = count(statusOf(deployment)['observedGeneration']) === deployment.metadata.generation
  // Once complete it stays so while its template does: a pod that is replaced is no rollout.
  if (sameTemplate && old?.['reason'] === 'NewReplicaSetAvailable') return done
  const deadlineMs = (progress.get(uid)?.atMs ?? context.nowMs()) + count(specOf(deployment)['progressDeadlineSeconds'], 600) * 1000
  if (context.nowMs() >= deadlineMs) {
    return (set) => ({ status: 'False', reason: 'ProgressDeadlineExceeded', message: `ReplicaSet "${set}" has timed out progressing.` })
  }
  context.wakeAt(deadlineMs)
  return (set) => ({ status: 'True', reason: 'ReplicaSetUpdated', message: `ReplicaSet "${set}" is progressing.` })
}
