import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readRunbook } from '../../src/cli/site.js'
import { drawSite } from '../../src/cli/trial/drawn-site.js'
import { readWorldSpec } from '../../src/sim/world/load.js'
import { seeded } from '../../src/virtual/chance.js'
import { temporaryFolder } from '../helpers/cli.js'

const seeds = Array.from({ length: 40 }, (_, seed) => seed)

async function drawn(seed: number, folder = temporaryFolder()) {
  const site = await drawSite(`drawn-${seed}`, folder, seeded(seed))
  const { runbook, diagnostics } = await readRunbook(site.runbook.path)
  const steps = runbook?.nodes.flatMap((node) => (node.kind === 'step' ? [node] : [])) ?? []
  return { site, steps, diagnostics, world: await readWorldSpec(site.world) }
}

describe('a site that a seed draws', () => {
  it('is a runbook in order and a world that can be used, whatever the seed', async () => {
    for (const seed of seeds) expect((await drawn(seed)).diagnostics.filter(({ level }) => level === 'error')).toEqual([])
  })

  it('has one to eight disks, one to six hubs, is in a zone or in none, and moves its disks or not', async () => {
    const all = await Promise.all(seeds.map((seed) => drawn(seed)))
    const range = (counts: readonly number[]): readonly number[] => [Math.min(...counts), Math.max(...counts)]
    expect(range(all.map(({ world }) => world.pools[0]?.disks.length ?? 0))).toEqual([1, 8])
    expect(range(all.map(({ world }) => world.hubs.length))).toEqual([1, 6])
    const zonal = all.map(({ world }) => world.resources.filter(({ id, zones }) => id.includes('/disks/nfsserver_DataDisk') && zones !== undefined).length)
    expect([zonal.includes(0), zonal.some((count) => count > 0)]).toEqual([true, true])
    const moves = all.map(({ steps }) => steps.find(({ id }) => id === 'move')?.with['move'])
    expect(new Set(moves)).toEqual(new Set(['before-attach', 'after-cutover', 'never']))
  })

  it('has a hub of its own steps for each name that its world serves', async () => {
    const { steps, world } = await drawn(3)
    const hosts = steps.filter(({ uses }) => uses === 'http/check').map((node) => node.with['host'])
    expect(new Set(hosts)).toEqual(new Set(world.hubs.map(({ host }) => host)))
  })

  it('is the same each time', async () => {
    const folders = ['one', 'other'].map((name) => join(temporaryFolder(), name))
    const texts = await Promise.all(
      folders.map(async (folder) => {
        mkdirSync(folder)
        const { site } = await drawn(5, folder)
        return [site.runbook.path, site.world].map((path) => readFileSync(path, 'utf8'))
      }),
    )
    expect(texts[0]).toEqual(texts[1])
  })
})
