import { isPending, type Change, type CommandWrite, type Pending, type RequestWrite } from '../../contract/index.js'
import { hostLabel } from '../step.js'

/** What a plan knows, or does not know yet. */
type Known = string | Pending

/** What is not known yet may be anything. */
const text = (value: Known): string => (isPending(value) ? '*' : value)

/** A resource's path in a write, by its id; of a pending one only the type is known. */
export function pathOf(id: Known, type: string): string {
  return isPending(id) ? pathIn('*', type, '*') : id.replace(/^\/subscriptions\/[^/]+\//i, '')
}

/** The same by group and name; `A/b/c` is the type of a part of a resource, and `N/M` its name. */
export function pathIn(group: Known, type: string, name: Known): string {
  const [namespace = '', ...kinds] = type.split('/')
  const names = kinds.length === 1 ? [text(name)] : text(name).split('/')
  const parts = kinds.map((kind, index) => `${kind}/${names[index] ?? '*'}`)
  return `${groupPath(group)}/providers/${namespace}/${parts.join('/')}`
}

export function groupPath(group: Known): string {
  return `resourceGroups/${text(group)}`
}

export const put = (path: string): RequestWrite => ({ method: 'PUT', path })
export const remove = (path: string): RequestWrite => ({ method: 'DELETE', path })
/** Runs an action of a resource. */
export const post = (path: string, action: string): RequestWrite => ({ method: 'POST', path: `${path}/${action}` })

/** A resource that a change makes, changes or deletes. */
export function written(action: string, path: string): RequestWrite {
  return action === 'delete' ? remove(path) : put(path)
}

/** The same by the change's own label (`subnet data100/nfs`), whose first word tells the type. */
export function writtenAs({ resource, action }: Change, types: Readonly<Record<string, string>>, group: Known): RequestWrite[] {
  const [label = '', name = ''] = resource.split(' ')
  const type = types[label]
  return type === undefined ? [] : [written(action, pathIn(group, type, name))]
}

/** Commands on a host, by what they are told to do. */
export function onHost(machine: Known, ...commands: readonly string[]): CommandWrite[] {
  const on = text(hostLabel(machine))
  return commands.map((command) => ({ command, on }))
}

export const machineType = 'Microsoft.Compute/virtualMachines'
/** Attaching and detaching are one action of the machine. */
export const diskAction = 'attachDetachDataDisks'
