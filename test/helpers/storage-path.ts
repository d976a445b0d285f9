import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { data100 } from './cli.js'
import { subscription } from './steps.js'

const ofGroup = (group: string): string => `/subscriptions/${subscription}/resourceGroups/${group}/providers`
const machineIn = (group: string): string => `${ofGroup(group)}/Microsoft.Compute/virtualMachines/nfsserver`
export const oldServer = machineIn('MC_data100-19s_data100-19s_westus2')
export const newServer = machineIn('data100-nfs')

/** The steps of data100 that make the new server and what the disks go to, and those that bring the pool over to it. */
export const serverSteps = ['group-network', 'group-nfs', 'group-disks', 'group-snapshots', 'network', 'nfs']
export const poolSteps = ['users-lose-the-rest', 'record', 'fence', 'snapshots', 'detach', 'move', 'attach', 'import', 'exports']

interface Runbook {
  name: string
  rehearsal?: unknown
  vars: { pool: Record<string, unknown> }
  steps: { id: string; needs?: string[] }[]
}

export type Edit = (runbook: Runbook) => void

/** The runbook of data100 as it stands, cut down to these steps; `edit` changes what is left. Answers its path. */
export function cutDown(folder: string, steps: readonly string[], name: string, edit: Edit = () => undefined): string {
  return edited(data100, folder, name, (runbook) => {
    runbook.steps = runbook.steps.filter(({ id }) => steps.includes(id))
    edit(runbook)
  })
}

/** A runbook without its rehearsal, under this name, changed by `edit`. Answers its path. */
export function edited(of: string, folder: string, name: string, edit: Edit): string {
  const { rehearsal: _, ...whole } = parse(readFileSync(of, 'utf8')) as Runbook
  const changed: Runbook = { ...whole, name }
  edit(changed)
  const path = join(folder, `${name}.yaml`)
  writeFileSync(path, stringify(changed))
  return path
}

/** Only the way of the pool, to a server that is there already. */
export function poolPath(folder: string, edit: Edit = () => undefined): string {
  const groups = ['disks', 'snapshots'].map((group) => [`group-${group}.outputs.name`, `data100-${group}`] as const)
  const known = new Map([['nfs.outputs.id', newServer], ...groups])
  return cutDown(folder, poolSteps, 'pool-path', (runbook) => {
    let text = JSON.stringify(runbook.steps)
    for (const [output, value] of known) text = text.replaceAll(`\${{ steps.${output} }}`, value)
    const given = JSON.parse(text) as Runbook['steps']
    edit(runbook)
    const within = (needs: readonly string[]): string[] => needs.filter((id) => poolSteps.includes(id))
    runbook.steps = given.map((step) => (step.needs === undefined ? step : { ...step, needs: within(step.needs) }))
  })
}
