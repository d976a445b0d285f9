import type { KubeObject } from '../../../sim/kube/cluster.js'
import { kindNamed } from '../../../sim/kube/kinds.js'
import { urlOfKind, type KubeClient } from '../kube-client.js'
import type { Surroundings } from '../program.js'
import { standingOf, type Standing } from './status.js'

export interface Waiting {
  readonly client: KubeClient
  readonly at: Surroundings
  /** The release's, for objects that name none. */
  readonly namespace: string
  /** Milliseconds. */
  readonly timeoutMs: number
}

interface Watched {
  readonly object: KubeObject
  standing: Standing
}

type Judge = (object: KubeObject | undefined) => Standing

/**
 * Until every object is current, or one has failed, or time is up. Answers what helm says of those that are not, or undefined if all
 * are. Goes by watches, as helm 4 does: where the server dies in the midst of it, nothing more is heard until it is back, or time is up.
 */
export async function waitUntilReady(objects: readonly KubeObject[], waiting: Waiting, judge = standingOf): Promise<string | undefined> {
  const isOver = (all: readonly Watched[]): boolean =>
    all.every(({ standing }) => standing.status === 'Current') || all.some(({ standing }) => standing.status === 'Failed')
  const { watched, timedOut } = await watchUntil(objects, waiting, judge, isOver)
  const bad = watched.filter(({ standing }) => standing.status !== 'Current')
  if (bad.length === 0 && !timedOut) return undefined
  return said(bad.map((one) => `resource ${nameOf(one.object, waiting.namespace)} not ready. ${standingText(one.standing)}`), timedOut)
}

/** Until none of these objects is there any more. */
export async function waitUntilGone(objects: readonly KubeObject[], waiting: Waiting): Promise<string | undefined> {
  const isOver = (all: readonly Watched[]): boolean => all.every(({ standing }) => standing.status === 'NotFound')
  const { watched, timedOut } = await watchUntil(objects, waiting, standingOf, isOver)
  const left = watched.filter(({ standing }) => standing.status !== 'NotFound')
  if (left.length === 0) return undefined
  return said(left.map((one) => `resource ${nameOf(one.object, waiting.namespace)} still exists. ${standingText(one.standing)}`), timedOut)
}

function said(lines: readonly string[], timedOut: boolean): string {
  return [...lines, ...(timedOut ? ['context deadline exceeded'] : [])].join('\n')
}

function standingText({ status, message }: Standing): string {
  return `status: ${status}, message: ${message}`
}

function nameOf({ apiVersion, kind, metadata }: KubeObject, namespace: string): string {
  return `${kind}/${kindNamed(apiVersion, kind)?.namespaced === false ? '' : (metadata.namespace ?? namespace)}/${metadata.name}`
}

function watchUntil(
  objects: readonly KubeObject[],
  { client, at, namespace, timeoutMs }: Waiting,
  judge: Judge,
  isOver: (all: readonly Watched[]) => boolean,
): Promise<{ readonly watched: readonly Watched[]; readonly timedOut: boolean }> {
  const byUrl = new Map<string, Map<string, Watched>>()
  for (const object of objects) {
    const kind = kindNamed(object.apiVersion, object.kind)
    if (kind === undefined) continue
    const url = urlOfKind(kind, object.metadata.namespace ?? namespace)
    const here = byUrl.get(url) ?? new Map<string, Watched>()
    byUrl.set(url, here.set(object.metadata.name, { object, standing: judge(undefined) }))
  }
  const watched = [...byUrl.values()].flatMap((here) => [...here.values()])
  return at.heard(
    new Promise((resolve) => {
      const ends: (() => void)[] = []
      let begun = false
      const finish = (timedOut: boolean): void => {
        for (const end of ends.splice(0)) end()
        resolve({ watched, timedOut })
      }
      const look = (): void => {
        if (begun && isOver(watched)) finish(false)
      }
      ends.push(at.after(timeoutMs, () => finish(true)))
      for (const [url, here] of byUrl) {
        ends.push(client.watch(url, (type, object) => {
          const one = here.get(object.metadata.name)
          if (one === undefined) return
          one.standing = judge(type === 'DELETED' ? undefined : object)
          look()
        }))
      }
      begun = true
      look()
    }),
  )
}
