import { parse } from 'yaml'
import type { KubeObject } from '../../../sim/kube/cluster.js'
import { Refused, urlOf, type KubeClient } from '../kube-client.js'
import type { Manifest } from './render.js'

/** A failure in helm's own words, without the `Error: ` before them. */
export class HelmFailure extends Error {}

export interface Owner {
  readonly name: string
  readonly namespace: string
}

const read = new Map<string, readonly Manifest[]>()

/** The objects of a stored manifest. Taken apart once each: YAML costs more than all that helm does with it. */
export function objectsOf(manifest: string): readonly Manifest[] {
  const known = read.get(manifest)
  if (known !== undefined) return known
  const texts = manifest.split(/^---\s*$/m).map((text) => text.trim()).filter((text) => text !== '')
  const objects = texts.flatMap((text): Manifest[] => {
    const object = parse(text) as KubeObject | null
    return object === null ? [] : [{ text, object }]
  })
  if (read.size > 1000) read.clear()
  read.set(manifest, objects)
  return objects
}

const managedBy = 'app.kubernetes.io/managed-by'
const releaseName = 'meta.helm.sh/release-name'
const releaseNamespace = 'meta.helm.sh/release-namespace'

/** Why an object that is there already cannot be taken over; undefined if it can, or is not there. */
export async function whyNotOurs(client: KubeClient, { object }: Manifest, owner: Owner): Promise<string | undefined> {
  const there = await client.find(placeOf(object, owner.namespace))
  if (there === undefined) return undefined
  const { labels = {}, annotations = {}, name, namespace = '' } = there.metadata
  const wrong = [
    mustBe('label', labels, managedBy, 'Helm'),
    mustBe('annotation', annotations, releaseName, owner.name),
    mustBe('annotation', annotations, releaseNamespace, owner.namespace),
  ].filter((one) => one !== undefined)
  if (wrong.length === 0) return undefined
  return `${object.kind} "${name}" in namespace "${namespace}" exists and cannot be imported into the current release: invalid ownership metadata; ${wrong.join('; ')}`
}

function mustBe(what: string, given: Readonly<Record<string, string>>, key: string, wanted: string): string | undefined {
  const value = given[key]
  if (value === wanted) return undefined
  return value === undefined
    ? `${what} validation error: missing key "${key}": must be set to "${wanted}"`
    : `${what} validation error: key "${key}" must equal "${wanted}": current value is "${value}"`
}

/** Where the API has an object. Throws HelmFailure for a kind that the cluster has not. */
export function placeOf(object: KubeObject, namespace: string): string {
  const url = urlOf(object, namespace)
  if (url !== undefined) return url
  throw new HelmFailure('unable to build kubernetes objects from release manifest: error validating "": error validating data: the server could not find the requested resource')
}

/** Server-side apply, as helm's own field manager. Throws HelmFailure for a conflict, in helm's words for it. */
export async function apply(client: KubeClient, object: KubeObject, owner: Owner): Promise<void> {
  const { labels, annotations } = object.metadata
  const marked: KubeObject = {
    ...object,
    metadata: {
      ...object.metadata,
      labels: { ...labels, [managedBy]: 'Helm' },
      annotations: { ...annotations, [releaseName]: owner.name, [releaseNamespace]: owner.namespace },
    },
  }
  await applyAsIs(client, marked, owner.namespace)
}

export async function applyAsIs(client: KubeClient, object: KubeObject, namespace: string): Promise<void> {
  const { apiVersion, kind, metadata } = object
  const url = `${placeOf(object, namespace)}?fieldManager=helm&fieldValidation=Strict&force=false`
  try {
    await client.send('PATCH', url, object, 'application/apply-patch+yaml')
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 409) throw error
    throw new HelmFailure(`conflict occurred while applying object ${metadata.namespace ?? namespace}/${metadata.name} ${apiVersion}, Kind=${kind}: ${error.message}`)
  }
}

/** Begins a deletion; what is gone already is as wanted. False: it was not there. */
export async function remove(client: KubeClient, object: KubeObject, namespace: string): Promise<boolean> {
  try {
    await client.send('DELETE', placeOf(object, namespace), { propagationPolicy: 'Background' })
    return true
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return false
    throw error
  }
}

/** May helm take it away with the release? */
export function isKept({ object }: Manifest): boolean {
  return object.metadata.annotations?.['helm.sh/resource-policy'] === 'keep'
}

export function sameObject(one: KubeObject, other: KubeObject): boolean {
  return one.kind === other.kind && one.metadata.name === other.metadata.name && one.metadata.namespace === other.metadata.namespace
}
