import type { Kind } from '../kinds.js'
import { clusterStructs } from './cluster.js'
import { parseStructs, type Struct, type Type } from './language.js'
import { metaStructs } from './meta.js'
import { podStructs } from './pods.js'
import { workloadStructs } from './workloads.js'

export type { Key, Struct, Type } from './language.js'

// Written by hand from the reference of the API, release 1.33 to 1.35. It goes all the way down for what charts write
// (pods with their containers, probes, security contexts, usual volumes; workloads; claims and NFS, CSI, Azure volumes;
// services, ingresses, policies, RBAC) and stops at `any`, which accepts everything, at: volumes of other makers, webhook rules,
// autoscaler metrics, pod failure policies, device claims, and everything in `status`.
const structs: ReadonlyMap<string, Struct> = new Map([
  ...parseStructs(metaStructs),
  ...parseStructs(podStructs),
  ...parseStructs(workloadStructs),
  ...parseStructs(clusterStructs),
])

const nothing: Struct = new Map()
const string: Type = { is: 'scalar', of: 'string' }
const meta: Type = { is: 'struct', name: 'ObjectMeta', atomic: false }

/** The fields of a struct; none if it is not known. */
export function structOf(name: string): Struct {
  return structs.get(name) ?? nothing
}

const roots = new Map<string, Struct>()

/** The fields of a whole object of a kind. */
export function rootOf(kind: Kind): Struct {
  const known = roots.get(kind.id)
  if (known) return known
  const root: Struct = new Map<string, Type>([
    ['apiVersion', string],
    ['kind', string],
    ['metadata', meta],
    ...structOf(kind.kind),
  ])
  roots.set(kind.id, root)
  return root
}

/** What lies in a struct's field; undefined if there is no such field. */
export function fieldType(struct: Struct, name: string): Type | undefined {
  return struct.get(name)
}
