/** Resource ids of Azure Resource Manager, taken apart and put together. Compared without regard to case everywhere. */

export interface ResourceId {
  readonly subscription: string
  readonly group: string
  /** `Microsoft.Network/virtualNetworks/subnets` */
  readonly type: string
  readonly name: string
  /** Id of the resource above a child, `…/virtualNetworks/data100`; undefined for others. */
  readonly parent?: string
}

const shape = /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)(?:\/.+)?\/providers\/([^/]+)\/(.+)$/i

/**
 * Takes `/subscriptions/…/resourceGroups/…/providers/Namespace/type/name[/type/name]` apart; undefined if it is none. Of an
 * extension (`…/providers/Microsoft.Authorization/locks/x` behind another resource's id), the parent is that resource.
 */
export function parseId(id: string): ResourceId | undefined {
  const found = shape.exec(id)
  if (!found) return undefined
  const [, subscription = '', group = '', namespace = '', rest = ''] = found
  const segments = rest.split('/')
  if (segments.length % 2 !== 0 || segments.includes('')) return undefined
  const types = segments.filter((_, at) => at % 2 === 0)
  const parent = parentOf(id, segments.length)
  return { subscription, group, type: [namespace, ...types].join('/'), name: segments.at(-1) ?? '', ...parent }
}

function parentOf(id: string, segments: number): { parent?: string } {
  if (segments > 2) return { parent: id.split('/').slice(0, -2).join('/') }
  const behind = id.slice(0, id.toLowerCase().lastIndexOf('/providers/'))
  return /\/providers\//i.test(behind) ? { parent: behind } : {}
}

export function groupId(subscription: string, group: string): string {
  return `/subscriptions/${subscription}/resourceGroups/${group}`
}

export function resourceId(subscription: string, group: string, type: string, name: string): string {
  return `${groupId(subscription, group)}/providers/${type}/${name}`
}

export function sameId(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}

/** Is `id` the scope itself or something inside it? */
export function within(id: string, scope: string): boolean {
  const wanted = scope.toLowerCase()
  return id.toLowerCase() === wanted || id.toLowerCase().startsWith(`${wanted}/`)
}

/** A request as it is told: its method and the end of its path. */
export function shortened(method: string, path: string): string {
  return `${method} ${path.split('/').slice(-2).join('/')}`
}
