import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openSite, readRunbook } from '../../src/cli/site.js'
import { planRun, type Plan } from '../../src/engine/index.js'
import { readWorldSpec } from '../../src/sim/world/load.js'
import { serveWorld } from '../../src/sim/serve.js'
import type { WorldSpec } from '../../src/sim/world/spec.js'
import { data100, root, temporaryFolder } from '../helpers/cli.js'
import { subscription } from '../helpers/steps.js'
import { data100World, oldGroup } from '../helpers/world.js'

/** Something that would make a planned write fail, and what the plan must say of it. */
interface Impediment {
  readonly name: string
  /** Changes to the world of data100. */
  readonly world?: (spec: WorldSpec) => Partial<WorldSpec>
  /** Changes to its runbook, as a text. */
  readonly runbook?: (text: string) => string
  readonly step: string
  readonly level?: 'warn'
  readonly what: RegExp
  readonly mend: RegExp
}

const zone = `/subscriptions/${subscription}/resourceGroups/datahub-dns/providers/Microsoft.Network/dnszones/datahub.berkeley.edu`
const oldGroupId = `/subscriptions/${subscription}/resourceGroups/${oldGroup}`
const everything = { actions: ['*'], notActions: [] }

const impediments: readonly Impediment[] = [
  {
    name: 'no right to make clusters',
    world: () => ({ permissions: [{ actions: ['*'], notActions: ['Microsoft.ContainerService/*'] }] }),
    step: 'cluster',
    what: /no right to Microsoft\.ContainerService\/managedClusters\/write, .*listClusterUserCredential\/action in this subscription/,
    mend: /az role assignment create/,
  },
  {
    name: 'no right to move out of the old group',
    world: () => ({ permissions: [{ actions: ['*'], notActions: ['Microsoft.Resources/subscriptions/resourceGroups/moveResources/action'] }] }),
    step: 'move',
    what: /no right to .*moveResources\/action at MC_data100-19s_data100-19s_westus2/,
    mend: /az role assignment create/,
  },
  {
    name: 'no right to write the zone’s records',
    world: () => ({
      permissions: [
        { actions: ['*'], notActions: ['Microsoft.Network/dnszones/*'] },
        { scope: `/subscriptions/${subscription}/resourceGroups/somewhere-else`, ...everything },
      ],
    }),
    step: 'prod-dns',
    what: /no right to Microsoft\.Network\/dnszones\/A\/write at .*datahub\.berkeley\.edu/,
    mend: /az role assignment create/,
  },
  {
    name: 'no right to assign roles: Contributor has none',
    world: () => ({ permissions: [{ actions: ['*'], notActions: ['Microsoft.Authorization/*/write', 'Microsoft.Authorization/*/delete'] }] }),
    step: 'subnet-rights',
    what: /no right to Microsoft\.Authorization\/roleAssignments\/write/,
    mend: /Contributor leaves this out.*az role assignment create --role 'Network Contributor'/,
  },
  {
    name: 'no right to assign an identity',
    world: () => ({ permissions: [{ actions: ['*'], notActions: ['Microsoft.ManagedIdentity/userAssignedIdentities/assign/action'] }] }),
    step: 'cluster',
    what: /no right to Microsoft\.ManagedIdentity\/userAssignedIdentities\/assign\/action/,
    mend: /az role assignment create/,
  },
  {
    name: 'a lock of the whole subscription',
    world: () => ({ locks: [{ name: 'freeze', level: 'ReadOnly' }] }),
    step: 'group-nfs',
    what: /management lock \/subscriptions\/[^/]+\/providers\/Microsoft\.Authorization\/locks\/freeze \(ReadOnly\)/,
    mend: /az lock delete/,
  },
  {
    name: 'a lock of the DNS zone',
    world: () => ({ locks: [{ name: 'frozen-zone', scope: zone, level: 'ReadOnly' }] }),
    step: 'staging-dns',
    what: /frozen-zone \(ReadOnly\) refuses these changes/,
    mend: /az lock delete/,
  },
  {
    name: 'a lock against deletion of the group that disks move out of',
    world: () => ({ locks: [{ name: 'keep', scope: oldGroupId, level: 'CanNotDelete' }] }),
    step: 'move',
    what: /keep \(CanNotDelete\) keeps disks from being moved/,
    mend: /az lock delete/,
  },
]

async function planOf({ world, runbook }: Pick<Impediment, 'world' | 'runbook'>): Promise<{ plan: Plan; written: unknown[] }> {
  const spec = await readWorldSpec(data100World)
  const served = await serveWorld({ world: { ...spec, ...world?.(spec) }, speed: 120, stateDir: temporaryFolder() })
  try {
    const folder = temporaryFolder()
    const text = readFileSync(data100, 'utf8').replaceAll('../fixtures', join(root, 'fixtures'))
    const path = join(folder, 'data100.yaml')
    writeFileSync(path, runbook?.(text) ?? text)
    const { runbook: read, registry, diagnostics } = await readRunbook(path)
    if (read === undefined) throw new Error(JSON.stringify(diagnostics))
    const site = await openSite(read, registry, served.cloudPath, { PATH: process.env['PATH'] })
    const plan = await planRun({
      runbook: site.runbook,
      registry: site.registry,
      clock: site.clock,
      env: site.env,
      doors: site.doors(folder, 'plan'),
      signal: new AbortController().signal,
      pollEveryMs: site.cloud.pollEveryMs,
    })
    return { plan, written: served.world.requests.filter(({ writes }) => writes) }
  } finally {
    await served.stop()
  }
}

describe('the plan of data100', () => {
  it('finds nothing where nothing is in the way, and writes nothing', async () => {
    const { plan, written } = await planOf({})
    const stops = plan.findings.filter(({ level }) => level === 'stop')
    expect([plan.failures, stops, written]).toEqual([[], [], []])
    // The TTLs in force are told, though the first step of this runbook lowers them; what kubectl is here is not data100's.
    const warned = plan.findings.filter(({ what }) => !what.includes('kubectl'))
    expect(warned.map(({ steps }) => steps)).toEqual([['staging-dns'], ['prod-dns']])
  })

  it.each(impediments)('finds $name before anything is written', async ({ step, level = 'stop', what, mend, ...planted }) => {
    const { plan, written } = await planOf(planted)
    expect(plan.findings.filter(({ steps }) => steps.includes(step))).toContainEqual({
      steps: expect.arrayContaining([step]) as string[],
      level,
      what: expect.stringMatching(what) as string,
      mend: expect.stringMatching(mend) as string,
    })
    expect([plan.failures, written]).toEqual([[], []])
  })
})
