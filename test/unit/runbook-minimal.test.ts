import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readRunbook } from '../../src/cli/site.js'
import { gatesBefore, parseRunbook, referencedFiles, renderDiagnostic } from '../../src/runbook/index.js'
import { sites } from '../helpers/sites.js'

const path = sites.minimal.runbook
const text = readFileSync(path, 'utf8')

describe('runbooks/minimal.yaml', () => {
  it('fits the step modules that there are, its own among them', async () => {
    const { runbook, diagnostics, registry } = await readRunbook(path)
    expect(diagnostics.map(renderDiagnostic)).toEqual([])
    expect(runbook?.nodes).toHaveLength(text.match(/^ +- id: /gm)?.length ?? 0)
    expect(registry.has('./minimal/announce.mjs')).toBe(true)
    expect(runbook === undefined ? [] : gatesBefore(runbook, 'fence')).toEqual(['users-lose-the-rest'])
  })

  it('has its module, its command and its chart pinned, and of the world only the key', async () => {
    const { runbook, registry } = await readRunbook(path)
    const { files } = await referencedFiles(runbook!, registry, { env: (name) => (name === 'LIFEBOAT_SSH_KEY' ? path : '/nowhere') })
    expect(files.map((file) => basename(file.path)).sort()).toEqual(['announce.mjs', 'deploys-to', 'hub', 'minimal.yaml'])
  })

  it('is warned of when one of its commands harms and no gate precedes it', async () => {
    const { registry } = await readRunbook(path)
    const harming = text.replace('describe: nothing is deployed', 'harm: whoever deploys now has to wait\n      describe: nothing is deployed')
    const found = parseRunbook(harming, path, registry).diagnostics.map(renderDiagnostic)
    expect(found).toEqual([expect.stringContaining('warning: deployments-stop (exec) takes something from users, and no gate precedes it')])
  })
})
