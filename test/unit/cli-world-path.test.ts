import { describe, expect, it } from 'vitest'
import { worldCriticalPathMs, type StepSpan } from '../../src/cli/world-path.js'

const at = (minute: number): string => new Date(Date.UTC(2019, 1, 25, 20, minute)).toISOString()
const span = (id: string, needs: string[], from: number, until: number, resource: string): StepSpan => ({
  id,
  needs,
  startedAt: at(from),
  endedAt: at(until),
  changes: [{ resource, action: 'create' }],
})
const operation = (what: string, resource: string, from: number, minutes: number) => ({
  what,
  resource,
  startedAt: at(from),
  durationMs: minutes * 60_000,
})

describe('the critical path in the world’s own durations', () => {
  const steps = [
    span('cluster', [], 0, 21, 'managedCluster new'),
    span('server', [], 0, 6, 'virtualMachine nfsserver'),
    span('hub', ['cluster', 'server'], 21, 36, 'release hub'),
  ]

  it('adds up what the world did along the longest path, not what the client took', () => {
    const operations = [
      operation('cluster create', '/x/managedClusters/new', 0, 20),
      operation('vm create', '/x/virtualMachines/nfsserver', 0, 5),
      operation('pods', 'hub', 22, 14),
    ]
    expect(worldCriticalPathMs(steps, operations) / 60_000).toBe(34)
  })

  it('counts operations side by side once, and those of other times not at all', () => {
    const operations = [
      operation('attach', '/x/virtualMachines/nfsserver', 1, 2),
      operation('run', '/x/virtualMachines/nfsserver', 2, 2),
      operation('run', '/x/virtualMachines/nfsserver', 30, 9),
    ]
    expect(worldCriticalPathMs(steps, operations) / 60_000).toBe(3)
  })
})
