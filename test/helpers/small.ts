import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lifeboat, root, temporaryFolder, type RunningCli } from './cli.js'
import type { Served } from './served.js'

export const subscription = '5e1d1a2c-0100-4d47-9c19-201902251121'
export const zone = `/subscriptions/${subscription}/resourceGroups/datahub-dns/providers/Microsoft.Network/dnszones/datahub.berkeley.edu`

/** A runbook named `small` for the world of data100, with these lines under `steps`. Answers its path. */
export function smallRunbook(steps: string): string {
  const path = join(temporaryFolder(), 'small.yaml')
  const azure = `azure: { subscription: ${subscription}, location: westus2, cloud: AzurePublicCloud }`
  writeFileSync(path, `apiVersion: lifeboat/v1\nname: small\n${azure}\nsteps:\n${steps}`)
  return path
}

/** Resource groups, each waiting for the one before it. */
export function groupSteps(...names: readonly string[]): string {
  return names
    .map((name, index) => {
      const needs = index === 0 ? '' : `needs: [${names[index - 1] ?? ''}], `
      return `  - { id: ${name}, uses: azure/resource-group, ${needs}with: { name: ${name}, location: westus2 } }\n`
    })
    .join('')
}

export interface Small {
  readonly runbook: string
  readonly world: Served
  readonly state: string
}

const runArgs = ({ runbook, world, state }: Small): string[] => [
  ...['run', runbook, '--cloud', world.cloudPath, '--state-dir', state],
  ...['--confirm=small', '--yes', '--json'],
]

export function runSmall(small: Small, ...more: readonly string[]): RunningCli {
  return lifeboat([...runArgs(small), ...more])
}

export function resumeSmall({ state }: Pick<Small, 'state'>): RunningCli {
  return lifeboat(['resume', '--state-dir', state, '--yes', '--json'])
}

/** The same where no file may grow beyond so many KiB: what a full disk or a quota does to a journal, and anybody may ask for it. */
export function runSmallWithin(small: Small, kibibytes: number): Promise<{ code: number | null; stderr: string }> {
  const command = [process.execPath, join(root, 'dist/main.js'), ...runArgs(small)]
  const child = spawn('bash', ['-c', `ulimit -f ${kibibytes}; exec "$@"`, 'bash', ...command], {
    env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', TZ: 'UTC' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stderr }))
  })
}
