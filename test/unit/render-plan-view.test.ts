import { describe, expect, it } from 'vitest'
import { Pending, type Change } from '../../src/contract/index.js'
import { planLines, type PlanInput } from '../../src/render/plan-view.js'
import { detailsOf } from '../../src/render/plan-values.js'
import { widthOf } from '../../src/render/text.js'
import { cloud, planned, plannedRun } from '../helpers/render-samples.js'

const group = '/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/data100-19s'

function input(facts: Partial<PlanInput> = {}): PlanInput {
  if (plannedRun.type !== 'run.planned') throw new Error('the sample is a plan')
  const { steps, firstHarm, pointOfNoReturn, criticalPath, totalMs } = plannedRun
  return {
    runbook: 'data100',
    mode: 'rehearsal',
    cloud,
    objectiveMs: 2_700_000,
    steps,
    facts: { firstHarm, pointOfNoReturn, criticalPath, totalMs },
    findings: [],
    failures: [],
    places: [],
    ...facts,
  }
}

const text = (facts: Partial<PlanInput> = {}): string => planLines(input(facts), { columns: 150 }).join('\n')

function withChange(change: Change, irreversible: Readonly<Record<string, string>> = {}): string {
  return text({ steps: [planned('cluster', { changes: [change], irreversible })] })
}

describe('the plan of an undo', () => {
  const back = (open: readonly string[]): string =>
    text({ steps: [planned('rack', { state: 'converged', changes: [] })], undo: { of: 'r1', leftBehind: [], open } })

  it('says that nothing is left, and of what is not known to be over that it is waited for', () => {
    expect(back([])).toMatch(/rack .*nothing to put back$/m)
    expect(back([])).toContain('No change: nothing is left that r1 changed and that can be put back.')
    expect(back(['rack'])).toMatch(/rack .*nothing to put back yet$/m)
    expect(back(['rack'])).toContain('Not known to be over: rack. What is still at work there is waited for')
    expect(back(['rack'])).not.toContain('nothing is left')
  })
})

describe('the head of a plan', () => {
  it('names groups, clusters, machines and zones, and which of them are new', () => {
    const places: PlanInput['places'] = [
      { kind: 'group', name: 'hubs-1', made: false },
      { kind: 'group', name: 'hubs-2', made: true },
      { kind: 'machine', name: 'nfs', group: 'hubs-1', made: false },
      { kind: 'zone', name: 'hub.example', group: 'dns', made: false },
    ]
    const lines = planLines(input({ places }), { columns: 80 })
    expect(lines.slice(2, 6).map((one) => one.trimEnd())).toEqual([
      'touched.',
      '  groups    hubs-1, hubs-2 (new)',
      '  machines  nfs in hubs-1',
      '  zones     hub.example in dns',
    ])
  })
})

describe('the steps of a plan', () => {
  it.each([40, 80, 100])('have headings of which no word is lost in %d columns', (columns) => {
    const long = 'a-step-with-quite-a-long-name'
    const changes = [{ resource: long, action: 'delete', harm: 'notebooks stop' }] as const
    const steps = [planned(long, { state: 'assumed', irreversible: { [long]: 'gone' }, changes })]
    const facts = { firstHarm: long, pointOfNoReturn: long, criticalPath: [long], totalMs: 1 }
    const lines = planLines(input({ steps, facts }), { columns })
    expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(columns)
    const words = lines.join(' ').replaceAll(/\s+/g, ' ')
    const when = 'cannot be looked at yet; from +00:00, about 10m, on the critical path'
    expect(words).toContain(`${long} FIRST HARM POINT OF NO RETURN azure/network *assumed* absent, ${when}`)
  })

  it('have each gate where it is asked', () => {
    const ids = planLines(input(), { columns: 150 }).flatMap((line) => /^(cluster|server|ready-to-cut|fence|prod|prod-live) /.exec(line)?.[1] ?? [])
    expect(ids).toEqual(['cluster', 'server', 'ready-to-cut', 'fence', 'prod', 'prod-live'])
  })
})

describe('a plan that a run follows', () => {
  it('does not call itself a dry run', () => {
    expect(text()).toContain('This is a dry run')
    const followed = text({ begins: true })
    expect(followed).not.toContain('dry run')
    expect(followed).toContain('So far this has only read, and nothing has been changed.')
  })
})

describe('the expected time of a plan', () => {
  const change: Change = { resource: 'x', action: 'create', after: {} }
  const said = (...from: readonly number[]): string | undefined => {
    const steps = from.map((runs, index) => planned(`s${index}`, { changes: [change], ...(runs === 0 ? {} : { estimatedFrom: { runs, p90Ms: 1 } }) }))
    return planLines(input({ steps }), { columns: 250 }).find((line) => line.startsWith('Expected time'))
  }

  it('says whether it is of estimates or of earlier runs', () => {
    expect(said(0, 0)).toMatch(/: \S+, by estimates; the objective/)
    expect(said(3, 4)).toMatch(/: \S+, by what 2 steps took in 4 earlier runs; the objective/)
    expect(said(1, 0)).toMatch(/: \S+, by what 1 step took in 1 earlier run, and by estimates for 1 step; the objective/)
  })
})

describe('a choice that the runbook has made', () => {
  it('stands first, and under it what each other one would make of the times, and what speaks against it', () => {
    const variant = { input: 'move', says: 'up to four hours', estimateMs: 360_000, chosen: true, totalMs: 2_485_000, next: [{ step: 'attach', startMs: 800_000 }] }
    const other = { ...variant, chosen: false, says: 'a quiet hour', totalMs: 2_125_000, next: [{ step: 'attach', startMs: 440_000 }] }
    const steps = [planned('move', { changes: [{ resource: 'x', action: 'update' }], variants: [{ ...other, value: 'after-cutover' }, { ...variant, value: 'before-attach' }] })]
    expect(planLines(input({ steps }), { columns: 150 }).filter((line) => line.includes('move: '))).toEqual([
      'Choice in move: move: before-attach: attach from +13:20, end after 41m25s (up to four hours)',
      'Instead, move: after-cutover: attach from +07:20, end after 35m25s (a quiet hour)',
    ])
  })
})

describe('the end of a plan', () => {
  const ends = (...changes: readonly Change[]): string[] => planLines(input({ steps: [planned('x', { changes })] }), { columns: 250 }).filter((line) => line.includes('DNS'))
  const record: Change = { resource: 'record A data100', action: 'update', before: { values: ['1.1.1.1'] }, after: { values: new Pending(['prod']) } }
  const address: Change = { resource: 'public address data100', action: 'update', before: { heldBy: 'old' }, after: { heldBy: null } }

  it('says that names lead elsewhere, and what would spare it', () => {
    expect(ends(record, { ...record, resource: 'record A data100s' }, address)).toEqual([expect.stringMatching(/^DNS: 2 records change, .*A reserved address for each hub would spare that/) as string])
    expect(ends(record)).toEqual([expect.stringMatching(/^DNS: 1 record changes, and clients follow/) as string])
  })

  it('says that hubs keep their addresses, where these change hands and no record does', () => {
    expect(ends(address, { resource: 'record A data100', action: 'update', after: { ttlSeconds: 60 } })).toEqual(['No DNS change: the hubs keep their addresses.'])
  })

  it('says nothing of DNS where neither is touched', () => {
    expect(ends({ resource: 'managedCluster a', action: 'create', after: {} })).toEqual([])
  })
})

describe('the values of a change', () => {
  it('of a creation are all that will be', () => {
    const after = { location: 'westus2', agentPool: { count: 3 }, zones: ['1', '2'], disks: [{ lun: 0 }, { lun: 1 }] }
    expect(detailsOf({ resource: 'x', action: 'create', after })).toEqual([
      { path: 'location', after: 'westus2' },
      { path: 'agentPool.count', after: '3' },
      { path: 'zones', after: '[1, 2]' },
      { path: 'disks[0].lun', after: '0' },
      { path: 'disks[1].lun', after: '1' },
    ])
  })

  it('of an update are only what differs', () => {
    const change: Change = { resource: 'x', action: 'update', before: { ttl: 300, values: ['1.1.1.1'] }, after: { ttl: 300, values: ['2.2.2.2'] } }
    expect(detailsOf(change)).toEqual([{ path: 'values', before: '[1.1.1.1]', after: '[2.2.2.2]' }])
  })

  it('of what is run say once what stays as it is', () => {
    const change: Change = { resource: 'x', action: 'run', before: { on: 'a/b', active: true }, after: { on: 'a/b', active: false } }
    expect(detailsOf(change)).toEqual([{ path: 'on', after: 'a/b' }, { path: 'active', before: 'true', after: 'false' }])
  })

  it('that are pending say after what, in memory and as journaled', () => {
    const pending = new Pending(['prod'])
    const paths = (after: Change['after']): unknown => detailsOf({ resource: 'x', action: 'create', ...(after === undefined ? {} : { after }) })
    const expected = [{ path: 'address', after: '(known after prod)' }]
    expect(paths({ address: pending })).toEqual(expected)
    expect(paths(JSON.parse(JSON.stringify({ address: pending })) as Change['after'])).toEqual(expected)
    expect(paths({ values: [pending] })).toEqual([{ path: 'values', after: '[(known after prod)]' }])
  })

  it('of many lines are told by their first and their number', () => {
    const [detail] = detailsOf({ resource: 'x', action: 'create', after: { cloudInit: '#cloud-config\npackages:\n  - zfs\n' } })
    expect(detail?.after).toBe('#cloud-config (3 lines)')
  })
})

describe('a plan', () => {
  it('says first and last that nothing was changed, and where it would be', () => {
    const lines = planLines(input())
    expect(lines.slice(0, 3)).toEqual([
      'Plan for data100',
      'A rehearsal of the failover in the simulated world data100; nothing real is touched.',
      'This is a dry run: it only reads, and nothing has been changed.',
    ])
    expect(lines.at(-1)).toBe('Nothing has been changed.')
  })

  it('says of what is only run that it is to be done, not that it does not exist', () => {
    const change: Change = { resource: 'deployments', action: 'run', after: { run: ['a'] } }
    expect(text({ steps: [planned('stop', { changes: [change] })] })).toMatch(/^stop .*to be done/m)
  })

  it('shows each change with its resource as people say it', () => {
    const id = `${group}/providers/Microsoft.ContainerService/managedClusters/data100-19s-2`
    expect(withChange({ resource: id, action: 'create', after: { location: 'westus2' } })).toContain(
      '  + create managedClusters/data100-19s-2 in data100-19s\n      location  westus2\n',
    )
    expect(withChange({ resource: group, action: 'create' })).toContain('  + create resource group data100-19s')
  })

  it('shows what was and what will be', () => {
    const change: Change = { resource: 'data100', action: 'update', before: { values: ['1.1.1.1'] }, after: { values: new Pending(['prod']) } }
    expect(withChange(change)).toContain('      values  [1.1.1.1] → (known after prod)')
  })

  it('counts, and names expected time, critical path, first harm and point of no return', () => {
    expect(text().split('\n').slice(-10)).toEqual([
      '4 changes in 4 steps: 3 to create, 1 to run',
      'First harm: fence, at about +00:00: live notebooks on data100 stop',
      'Point of no return: none; every change can be put back',
      'Expected time: 34m, by estimates; the objective is 45m',
      'Critical path: cluster 20m → prod 14m',
      '*Assumed*: prod. What they would look at does not exist yet, so they are planned as if nothing of theirs did.',
      '',
      'Readiness: nothing in the way',
      '',
      'Nothing has been changed.',
    ])
  })

  it('says why there is no way back, at the step and at the end', () => {
    const shown = withChange({ resource: 'disk', action: 'delete' }, { disk: 'its data is gone' })
    expect(shown).toContain('      cannot be put back: its data is gone')
    const facts = { firstHarm: null, pointOfNoReturn: 'cluster', criticalPath: ['cluster'], totalMs: 600_000 }
    const steps = [planned('cluster', { irreversible: { cluster: 'its data is gone' } })]
    expect(text({ steps, facts })).toContain('Point of no return: cluster, at about +00:00: its data is gone')
    expect(text({ steps, facts })).toContain('cluster  POINT OF NO RETURN  azure/aks-cluster')
  })

  it('marks what is assumed', () => {
    expect(text()).toMatch(/^prod {2}helm\/release {2}\*assumed\* absent/m)
  })

  it('says that there is nothing to do', () => {
    const steps = [planned('cluster', { state: 'converged', changes: [] }), planned('prod-live', { state: 'check', changes: [] })]
    const shown = text({ steps, facts: { firstHarm: null, pointOfNoReturn: null, criticalPath: [], totalMs: 0 } })
    expect(shown).toContain('No change: all is as the runbook wants it.\nNothing has been changed.')
  })

  it('never says that there is nothing to do where a step could not be looked at', () => {
    const error = { code: 'azure.forbidden', message: 'not allowed to read', hint: 'Ask for Reader.', blame: 'user', retryable: false } as const
    const steps = [planned('cluster', { state: 'assumed', changes: [] })]
    const findings = [{ steps: ['cluster'], level: 'stop', what: error.message, mend: error.hint }] as const
    const shown = text({ steps, failures: [{ step: 'cluster', error }], findings })
    expect(shown).not.toContain('No change: all is')
    expect(shown).toMatch(/^cluster .*cannot be planned, see below/m)
    expect(shown).toMatch(/stop +cluster +not allowed to read\n +→ Ask for Reader\./)
    expect(shown).toContain('A run would not start like this.')
    const begins = text({ steps, failures: [{ step: 'cluster', error }], findings, begins: true })
    expect(begins).toContain('\nSo this run does not begin.\n')
    expect(begins).not.toContain('would not start')
  })

  it('shows what preflight found as one table, with its mend', () => {
    const findings = [
      { steps: ['server', 'disks'], level: 'stop', what: 'locked', mend: 'Remove the lock.' },
      { steps: [], level: 'warn', what: 'few cores left', mend: 'Ask for more.' },
    ] as const
    expect(text({ findings })).toContain(
      [
        'Readiness: 1 thing stops it, 1 warning',
        'level  steps          what, and what to do about it',
        'stop   server, disks  locked',
        '                      → Remove the lock.',
        'warn   (site)         few cores left',
        '                      → Ask for more.',
        'A run would not start like this.',
      ].join('\n'),
    )
  })

  it('says that nothing is in the way where there are changes and no findings', () => {
    expect(text()).toContain('\nReadiness: nothing in the way')
    expect(text()).not.toContain('would not start')
    const facts = { firstHarm: null, pointOfNoReturn: null, criticalPath: [], totalMs: 0 }
    expect(text({ steps: [planned('cluster', { state: 'converged', changes: [] })], facts })).not.toContain('Readiness')
  })

  it.each([80, 40])('keeps the readiness table within %i columns and loses no word of it', (columns) => {
    const long = { what: `${group} has a lock, nothing in it can be deleted or changed`, mend: 'Remove it: az lock delete --ids <id>, or choose another.' }
    const findings = [{ steps: ['network', 'a-very-long-name-of-a-step', 'cluster'], level: 'stop', ...long } as const]
    const lines = planLines(input({ findings }), { columns })
    const table = lines.slice(lines.indexOf('Readiness: 1 thing stops it'), lines.indexOf('A run would not start like this.'))
    expect(Math.max(...table.map(widthOf))).toBeLessThanOrEqual(columns)
    const words = table.map((row) => row.slice(7 + 16 + 2)).join(' ').replaceAll('→', '').replaceAll(/ +/g, '')
    expect(words).toContain(long.what.replaceAll(' ', ''))
    expect(words).toContain(long.mend.replaceAll(' ', ''))
  })

  it('leaves long lists to --verbose, and says so', () => {
    const after = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`key${index}`, index]))
    const change: Change = { resource: 'x', action: 'create', after }
    expect(withChange(change)).toContain('and 8 more values: --verbose shows all')
    const whole = planLines(input({ steps: [planned('cluster', { changes: [change] })] }), { verbose: true }).join('\n')
    expect(whole).toContain('key19')
  })

  it('fits a narrow terminal without cutting a harm', () => {
    const harm = 'live notebooks on data100 stop, and whoever has not saved loses what was typed since'
    const lines = planLines(input({ steps: [planned('fence', { changes: [{ resource: 'pool0', action: 'run', harm }] })] }), { columns: 40 })
    expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(40)
    expect(lines.join(' ').replaceAll(/ +/g, ' ')).toContain(harm)
  })
})
