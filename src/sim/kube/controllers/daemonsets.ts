import { kindOf } from '../kinds.js'
import { hash, text, type KubeObject } from '../object.js'
import { adopt, isReady, leaving, setStatus, specOf, type Context } from './context.js'
import { nodeNames } from './nodes.js'
import { endPodOf, makePod, podsOf } from './replicas.js'

const revisionLabel = 'controller-revision-hash'

/** DaemonSets: one pod a node; a changed template replaces one at a time. Node selectors are not looked at. */
export function daemonSetController(context: Context): void {
  for (const set of context.store.list(kindOf('daemonsets.apps'))) {
    const revision = hash(specOf(set)['template'])
    adopt(context, kindOf('pods'), set)
    const pods = podsOf(context, set)
    if (!leaving(set)) advance(context, set, revision, pods)
    const live = podsOf(context, set).filter((pod) => !leaving(pod))
    const ready = live.filter(isReady).length
    const wanted = nodeNames.length
    setStatus(context, kindOf('daemonsets.apps'), set, {
      observedGeneration: set.metadata.generation,
      desiredNumberScheduled: wanted,
      currentNumberScheduled: live.length,
      updatedNumberScheduled: live.filter((pod) => pod.metadata.labels?.[revisionLabel] === revision).length,
      numberReady: ready,
      numberMisscheduled: 0,
      ...(ready === 0 ? {} : { numberAvailable: ready }),
      ...(ready === wanted ? {} : { numberUnavailable: wanted - ready }),
    })
  }
}

function advance(context: Context, set: KubeObject, revision: string, pods: readonly KubeObject[]): void {
  nodeNames.forEach((node, at) => {
    if (pods.some((pod) => text(specOf(pod)['nodeName']) === node)) return
    const name = `${set.metadata.name}-${hash([set.metadata.uid, node, revision, context.nowMs(), at]).slice(0, 5)}`
    makePod(context, set, name, { [revisionLabel]: revision }, { nodeName: node })
  })
  if (pods.length < nodeNames.length || pods.some(leaving)) return
  const stale = pods.filter((pod) => pod.metadata.labels?.[revisionLabel] !== revision)
  const fresh = pods.filter((pod) => pod.metadata.labels?.[revisionLabel] === revision)
  if (stale[0] && fresh.every(isReady)) endPodOf(context, stale[0])
}
