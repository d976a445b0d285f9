import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { gatesBefore, parseRunbook, renderDiagnostic } from '../../src/runbook/index.js'
import { registry } from '../../src/steps/registry.js'
import { root } from '../helpers/cli.js'
import { sites } from '../helpers/sites.js'

const path = sites['hubs-many'].runbook
const text = readFileSync(path, 'utf8')
const harmful = new Set([...registry].filter(([, { harms }]) => harms === true).map(([uses]) => uses))

describe('runbooks/hubs-many.yaml', () => {
  it('fits the step modules that there are, and has a gate before every harm', () => {
    const { runbook, diagnostics } = parseRunbook(text, path, registry, harmful)
    expect(diagnostics.map(renderDiagnostic)).toEqual([])
    expect(runbook?.nodes).toHaveLength(text.match(/^ +- id: /gm)?.length ?? 0)
    const gates = (id: string): readonly string[] => (runbook === undefined ? [] : gatesBefore(runbook, id))
    expect(gates('address-staging')).toEqual(['staging-goes-first'])
    for (const id of ['fence-teach', 'fence-stats', 'fence-labs', 'addresses-prod']) expect(gates(id), id).toContain('go-on-to-prod')
  })

  it('stops NFS on each old server once, and takes no pool from it before', () => {
    const { steps } = parse(text) as { steps: { id: string; uses: string; needs?: string[]; with?: { stopsNfs?: boolean } }[] }
    const fences = steps.filter(({ uses }) => uses === 'nfs/fence')
    const stopping = fences.filter(({ with: inputs }) => inputs?.stopsNfs !== false)
    expect(stopping.map(({ id }) => id)).toEqual(['fence-staging', 'fence-teach'])
    expect(fences.filter((one) => !stopping.includes(one)).map(({ needs }) => needs)).toEqual([['fence-teach'], ['fence-teach']])
  })

  it('changes no DNS record', () => {
    const { runbook } = parseRunbook(text, path, registry)
    expect(runbook?.nodes.filter((node) => node.kind === 'step' && /dns/.test(node.uses))).toEqual([])
  })
})

describe('a shipped runbook that takes disks from a server', () => {
  interface Step {
    readonly id: string
    readonly uses: string
    readonly with?: Readonly<Record<string, unknown>>
  }
  const folder = join(root, 'runbooks')
  const all = readdirSync(folder).filter((name) => name.endsWith('.yaml')).map((name) => [name, (parse(readFileSync(join(folder, name), 'utf8')) as { steps: Step[] }).steps] as const)

  it.each(all)('has each fence of it looked at again right before, and finds what a move has left behind: %s', (_name, steps) => {
    const detaching = steps.filter(({ uses }) => uses === 'azure/detach-disks')
    const unguarded = detaching.flatMap(({ id, with: inputs }) => {
      const fences = steps.filter((one) => one.uses === 'nfs/fence' && one.with?.['machine'] === inputs?.['machine'])
      return fences.filter((fence) => !JSON.stringify(inputs?.['fenced'] ?? '').includes(`steps.${fence.id}.outputs.how`)).map((fence) => `${id} without ${fence.id}`)
    })
    const attaching = steps.filter(({ uses, with: inputs }) => uses === 'azure/attach-disks' && JSON.stringify(inputs).includes('steps.move'))
    expect([unguarded, attaching.filter(({ with: inputs }) => inputs?.['from'] === undefined).map(({ id }) => id)]).toEqual([[], []])
  })
})
