import type { WorldParts } from '../../sim/within.js'

/** `az aks delete --resource-group GROUP --name NAME`, as a stop advises it. */
const deletions = [
  { advised: /az aks delete --resource-group (\S+) --name ([^\s)]+)/g, type: 'Microsoft.ContainerService/managedClusters' },
  { advised: /az vm delete --resource-group (\S+) --name ([^\s)]+)/g, type: 'Microsoft.Compute/virtualMachines' },
  { advised: /az snapshot delete --resource-group (\S+) --name ([^\s)]+)/g, type: 'Microsoft.Compute/snapshots' },
] as const

/**
 * Does what a stopped run has told the operator to do, as far as it is a command that can be copied, and nothing else: a stop counts as
 * one with correct advice if the failover comes to its end by it.
 */
export async function follow(text: string, { world, manager }: Pick<WorldParts, 'world' | 'manager'>): Promise<readonly string[]> {
  const done: string[] = []
  const said = oneLine(text)
  for (const { advised, type } of deletions) {
    for (const { group, name } of named(said, advised)) {
      const id = `/subscriptions/${world.spec.subscription}/resourceGroups/${group}/providers/${type}/${name}`
      if (world.resource(id) === undefined) continue
      await manager.asSomebodyElse({ method: 'DELETE', path: id })
      done.push(`deleted ${id}`)
    }
  }
  for (const { group, name } of named(said, /az vm reapply --resource-group (\S+) --name ([^\s)]+)/g)) {
    const machine = world.resource(`/subscriptions/${world.spec.subscription}/resourceGroups/${group}/providers/Microsoft.Compute/virtualMachines/${name}`)
    if (machine === undefined) continue
    machine.properties['provisioningState'] = 'Succeeded'
    world.put(machine)
    done.push(`reapplied ${machine.id}`)
  }
  return done
}

/** What such a command is about. It is said again and again while something is waited for, and done once. */
function named(said: string, command: RegExp): readonly { readonly group: string; readonly name: string }[] {
  const found = new Map([...said.matchAll(command)].map(([whole, group = '', name = '']) => [whole, { group, name }]))
  return [...found.values()]
}

/** The other ways that a stop has offered, as words of the next command: `--accept fence=deallocate`. */
export function acceptable(said: string): readonly string[] {
  const offers = [...oneLine(said).matchAll(/--accept ([a-z0-9-]+=[a-z0-9-]+)/g)].map(([, offer = '']) => offer)
  return [...new Set(offers)].flatMap((offer) => ['--accept', offer])
}

/** A terminal has broken it into lines. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ')
}
