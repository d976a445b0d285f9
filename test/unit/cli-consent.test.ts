import { describe, expect, it } from 'vitest'
import { consentByName } from '../../src/cli/consent.js'
import type { Invocation } from '../../src/cli/invocation.js'
import { Interrupts } from '../../src/cli/interrupts.js'
import type { Screen } from '../../src/cli/screen.js'

describe('the question for the name of a runbook', () => {
  it('has over it what is agreed to, at whose cost, and its groups, clusters and zones: the head of the plan has scrolled away', async () => {
    const shown: string[] = []
    const asker = { show: (lines: readonly string[]) => shown.push(...lines), text: async () => 'data100' }
    const screen = { asker, notice: () => undefined } as unknown as Screen
    const invocation = { output: { columns: 80 }, interrupts: new Interrupts() } as unknown as Invocation
    const places = [
      { kind: 'group', name: 'hubs-2', made: true },
      { kind: 'cluster', name: 'hub', group: 'hubs-1', made: false },
      { kind: 'machine', name: 'nfs', group: 'hubs-1', made: false },
      { kind: 'zone', name: 'hub.example', group: 'dns', made: false },
    ] as const
    const agreed = { what: 'A failover on AzureCloud.', places, displaced: ['Run r1 of ann is at work on this.'] }
    expect(await consentByName('data100', agreed, { color: false, input: true }, invocation, screen)).toBe('typed')
    expect(shown).toEqual([
      'A failover on AzureCloud.',
      'Run r1 of ann is at work on this.',
      '  groups    hubs-2 (new)',
      '  clusters  hub in hubs-1',
      '  machines  nfs in hubs-1',
      '  zones     hub.example in dns',
      'Confirmed: data100',
    ])
  })
})
