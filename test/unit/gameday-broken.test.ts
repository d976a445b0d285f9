import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { gameday } from '../../src/cli/gameday.js'
import { Interrupts } from '../../src/cli/interrupts.js'
import { loadScenario } from '../../src/cli/gameday/scenario-file.js'
import { Jobs, lostCard } from '../../src/cli/trial/job.js'
import { junitXml, scorecardLines, type Scorecard } from '../../src/gameday/index.js'
import { Output } from '../../src/render/output.js'
import { bareEnv, root, temporaryFolder } from '../helpers/cli.js'

const scenario = (name: string): string => join(root, 'fixtures/gamedays', `${name}.yaml`)

/** What a game day comes to whose playing itself breaks. */
async function broken(): Promise<Scorecard> {
  const program = async (): Promise<number> => {
    throw new RangeError('Invalid time value')
  }
  const jobs = new Jobs({ env: process.env, program, self: 'lifeboat', signal: new AbortController().signal })
  const result = await jobs.do({ kind: 'gameday', seed: 7, file: scenario('17-deployments-go-back') })
  if (result.kind !== 'gameday') throw new TypeError('no scorecard')
  return result.card
}

/** A worker that dies of one scenario, and plays the others well. */
function mortal(of: string): string {
  const path = join(temporaryFolder(), 'worker.mjs')
  const lines = [
    "import { createInterface } from 'node:readline'",
    'for await (const line of createInterface({ input: process.stdin })) {',
    '  const { file, seed } = JSON.parse(line)',
    `  if (file.includes('${of}')) {`,
    "    process.stderr.write('out of memory')",
    '    process.exit(134)',
    '  }',
    "  const card = { file, name: 'played', reason: '', seed, realSpeed: null, verdict: 'passed', hypothesis: { before: '', held: true }, faults: [],",
    "    recovery: { objectiveMs: null, tookMs: null, but: [] }, did: [], asked: [], expectations: [], neverFired: [], violations: [], events: { count: 0, digest: '' } }",
    "  process.stdout.write(JSON.stringify({ kind: 'gameday', card }) + '\\n')",
    '}',
  ]
  writeFileSync(path, lines.join('\n'))
  return path
}

describe('a scenario whose playing itself breaks', () => {
  it('is a failed scorecard, so that what others came to is told all the same', async () => {
    const card = await broken()
    expect(card).toMatchObject({ name: 'deployments-go-back', verdict: 'failed', realSpeed: null, expectations: [{ held: false, found: 'Invalid time value' }] })
    expect(scorecardLines(card).join('\n')).toContain('✗ the scenario is played to its end; found: Invalid time value')
    expect(junitXml([card])).toContain('<failure message="Invalid time value"/>')
  })

  it('says no more than is known: not that it was virtual, nor that nothing was met or asked', async () => {
    const file = scenario('17-deployments-go-back')
    const { value } = await loadScenario(file)
    if (value === undefined) throw new TypeError('no scenario')
    const card = lostCard(value, { kind: 'gameday', seed: 7, file, realSpeed: 120 }, new RangeError('no room'))
    expect(card).toMatchObject({ realSpeed: 120, asked: null, faults: [{ id: 'pipeline-turns-back', struck: null }] })
    const lines = scorecardLines(card).join('\n')
    expect(lines).toMatch(/yaml, for real, in a world 120 times as fast[^]*1 pipeline-turns-back \(writes\): not known\nRecovery: not known\nWhat the operator did, and was asked, is not known\.\n/)
    expect(lines).not.toMatch(/seed 7|Nothing was asked|never/)
    expect(junitXml([card])).toMatch(/tests="2" failures="1"[^]*<testcase name="fault pipeline-turns-back fires" classname="[^"]+"><skipped\/>/)
  })

  it('takes no other along if it takes the worker: all are told, and the report is written', async () => {
    const said = { stdout: '', stderr: '' }
    const into = (stream: keyof typeof said): Writable =>
      new Writable({ decodeStrings: false, write: (text: string, _encoding, written) => void ((said[stream] += text), written()) })
    const output = new Output({ stdin: process.stdin, stdout: into('stdout'), stderr: into('stderr') })
    const report = join(temporaryFolder(), 'report.xml')
    const invocation = { output, interrupts: new Interrupts(), env: bareEnv({}), self: mortal('03-disk') }
    const files = ['03-disk-will-not-detach', '05-half-moved', '17-deployments-go-back'].map(scenario)
    const code = await gameday(files, { json: true, junit: report, input: true, color: false }, invocation)
    await output.flushed()
    expect([code, said.stderr]).toEqual([1, expect.stringContaining('3 of 3 played')])
    const { scenarios } = JSON.parse(said.stdout) as { readonly scenarios: readonly Scorecard[] }
    expect(scenarios.map(({ file, verdict }) => [file, verdict])).toEqual(files.map((file, index) => [file, index === 0 ? 'failed' : 'passed']))
    expect(scenarios[0]?.expectations).toMatchObject([{ held: false, found: 'a worker has ended in the midst of its work: out of memory' }])
    expect(readFileSync(report, 'utf8').match(/<testsuite /g)).toHaveLength(3)
  })
})
