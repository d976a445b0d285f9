import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadRunbook, referencedFiles, renderDiagnostic, type PinnedFiles } from '../../src/runbook/index.js'
import { preamble, sampleRunbook, sampleSchemas, withSteps } from '../helpers/runbook-samples.js'
import { tempFolder } from '../helpers/temp-folder.js'

function write(folder: string, files: Record<string, string | Uint8Array>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
}

const release = (inputs: string): string => withSteps(`  - id: hub\n    uses: cloud/release\n    with: ${inputs}\n`)

async function pinned(folder: string, text: string, env: Record<string, string> = {}): Promise<PinnedFiles> {
  return referencedFiles(sampleRunbook(text, join(folder, 'r.yaml')), sampleSchemas, { env: (name) => env[name] }, 'r.yaml')
}

describe('pinned files', () => {
  it('are those that inputs name, each once, with the digest of their contents', async () => {
    const folder = tempFolder()
    write(folder, { 'hub/Chart.yaml': 'a', 'v.yaml': 'abc', 'key': 'k' })
    const { files, diagnostics } = await pinned(folder, release('{ chart: hub, valueFiles: [v.yaml, ./v.yaml, "${{ env.KEY }}"] }'), { KEY: join(folder, 'key') })
    expect(diagnostics).toEqual([])
    expect(files.map(({ path }) => path)).toEqual(['hub', 'key', 'v.yaml'].map((name) => join(folder, name)))
    expect(files[2]?.digest).toBe('sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  })

  it('change with any file in a folder, its name or its place, and with nothing else', async () => {
    const folder = tempFolder()
    const digest = async (files: Record<string, string>): Promise<string | undefined> => {
      rmSync(join(folder, 'hub'), { recursive: true, force: true })
      write(join(folder, 'hub'), files)
      return (await pinned(folder, release('{ chart: hub }'))).files[0]?.digest
    }
    const before = await digest({ 'Chart.yaml': 'a', 'templates/x.yaml': 'b' })
    expect(await digest({ 'templates/x.yaml': 'b', 'Chart.yaml': 'a' })).toBe(before)
    const others = [
      await digest({ 'Chart.yaml': 'a', 'templates/x.yaml': 'c' }),
      await digest({ 'Chart.yaml': 'a', 'templates/y.yaml': 'b' }),
      await digest({ 'Chart.yaml': 'a', 'x.yaml': 'b' }),
      await digest({ 'Chart.yaml': 'a', 'templates/x.yaml': 'b', '.hidden': '' }),
    ]
    expect(new Set([before, ...others]).size).toBe(5)
  })

  it('that are missing are reported where they are named', async () => {
    const folder = tempFolder()
    write(folder, { 'v.yaml': 'abc' })
    const { files, diagnostics } = await pinned(folder, release('{ chart: hbu, valueFiles: [v.yaml, ~/w.yaml] }'))
    expect(files.map(({ path }) => path)).toEqual([join(folder, 'v.yaml')])
    expect(diagnostics.map(renderDiagnostic)).toEqual([
      "r.yaml:7:20: \"hbu\": there is no such file (relative paths begin at the runbook's folder)",
      'r.yaml:7:46: "~/w.yaml": there is no such file (a leading ~ is not expanded here: write ${{ env.HOME }}/… or the whole path)',
    ])
  })

  it('are not shown by what an expression gives, which may be the secret itself', async () => {
    const { diagnostics } = await pinned(tempFolder(), release('{ chart: "${{ env.KEY }}" }'), { KEY: 'BEGIN PRIVATE KEY' })
    expect(diagnostics.map(renderDiagnostic)).toEqual([expect.stringContaining('r.yaml:7:20: chart (env.KEY): there is no such file')])
  })

  it('are pinned through links, but not in circles', async () => {
    const folder = tempFolder()
    write(folder, { 'hub/Chart.yaml': 'a', 'shared/x.yaml': 'b' })
    symlinkSync('../shared', join(folder, 'hub/charts'))
    const before = await pinned(folder, release('{ chart: hub }'))
    write(folder, { 'shared/x.yaml': 'c' })
    const after = await pinned(folder, release('{ chart: hub }'))
    expect(after.files[0]?.digest).not.toBe(before.files[0]?.digest)
    symlinkSync('../hub', join(folder, 'shared/back'))
    expect((await pinned(folder, release('{ chart: hub }'))).diagnostics.map(renderDiagnostic)).toEqual([
      expect.stringContaining('r.yaml:7:20: "hub": a link in it leads back'),
    ])
  })

  it('come with all environment variables that are not set, wherever they are needed', async () => {
    const text = `${preamble}vars: { where: "\${{ env.WHERE }}", unused: "\${{ env.UNUSED }}" }
steps:
  - { id: a, uses: cloud/group, with: { name: "\${{ vars.where }}" } }
  - { id: b, uses: cloud/group, with: { name: "\${{ vars.where }} \${{ env.SET }} \${{ env.NAME }}" } }
`
    const { diagnostics } = await pinned('/books', text, { SET: 'x' })
    expect(diagnostics.map(renderDiagnostic)).toEqual([
      expect.stringMatching(/^r\.yaml:4:17: WHERE is not set \(export WHERE=…/),
      expect.stringMatching(/^r\.yaml:7:81: NAME is not set/),
    ])
  })
})

describe('loading', () => {
  const sampleModules = async () => ({ schemas: sampleSchemas })
  const load = async (path: string): Promise<readonly string[]> =>
    (await loadRunbook(path, sampleModules)).diagnostics.map(renderDiagnostic)

  it('reads a runbook from its file', async () => {
    const folder = tempFolder()
    write(folder, { 'r.yaml': release('{ chart: hub }') })
    const { runbook, diagnostics } = await loadRunbook(join(folder, 'r.yaml'), sampleModules)
    expect(diagnostics).toEqual([])
    expect(runbook).toMatchObject({ folder, path: join(folder, 'r.yaml'), text: release('{ chart: hub }') })
  })

  it('says what is wrong with a path that is no runbook', async () => {
    const folder = tempFolder()
    write(folder, { large: new Uint8Array(10_000_000), latin: new Uint8Array([0x61, 0x0a, 0x62, 0xe9, 0x0a]) })
    expect(await load(join(folder, 'none'))).toEqual([expect.stringMatching(/none:1:1: there is no such file/)])
    expect(await load(join(folder, 'latin/x'))).toEqual([expect.stringMatching(/:1:1: a part of this path is no folder/)])
    expect(await load(folder)).toEqual([expect.stringMatching(/:1:1: this is a folder/)])
    expect(await load('/dev/zero')).toEqual([expect.stringMatching(/:1:1: this is no regular file/)])
    expect(await load(join(folder, 'large'))).toEqual([expect.stringMatching(/:1:1: this file has 10000000 bytes/)])
    expect(await load(join(folder, 'latin'))).toEqual([expect.stringMatching(/latin:2:2: this is not UTF-8 text/)])
  })
})
