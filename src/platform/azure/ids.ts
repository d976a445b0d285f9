import { LifeboatError } from '../../contract/index.js'

export interface ResourceIdParts {
  readonly subscription: string
  readonly group: string
  /** `Microsoft.Compute/virtualMachines` */
  readonly type: string
  readonly name: string
}

/** Takes a resource id apart. Throws `azure.bad-id`. */
export function parseId(id: string): ResourceIdParts {
  const match = /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/providers\/(.+)\/([^/]+)$/i.exec(id)
  const [, subscription, group, path, name] = match ?? []
  if (subscription === undefined || group === undefined || path === undefined || name === undefined) {
    throw new LifeboatError('azure.bad-id', `${id} is no id of an Azure resource`, { blame: 'user' })
  }
  const [provider, ...rest] = path.split('/')
  // In a path of children, type and name take turns.
  const types = rest.filter((_, index) => index % 2 === 0)
  return { subscription, group, type: [provider, ...types].join('/'), name }
}

/** Azure compares ids without regard to case. */
export function sameId(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && a.toLowerCase() === b.toLowerCase()
}

/** Is `id` the scope itself, or something in it? */
export function isWithin(id: string, scope: string): boolean {
  return `${id.toLowerCase()}/`.startsWith(`${scope.toLowerCase()}/`)
}

/** `westus2` and `West US 2` are one place. */
export function samePlace(a: string, b: string): boolean {
  const plain = (location: string): string => location.toLowerCase().replaceAll(' ', '')
  return plain(a) === plain(b)
}

export function nameOf(id: string): string {
  return id.split('/').at(-1) ?? id
}
