import { describe, expect, it } from 'vitest'
import { StateFolder, type RecordData } from '../../src/journal/index.js'
import { processes } from '../../src/platform/exec/processes.js'
import { data100, temporaryFolder } from '../helpers/cli.js'
import { lifeboatHere } from '../helpers/cli-here.js'
import { planned, started } from '../helpers/journal-samples.js'

type Sim = NonNullable<RecordData['run.started']['sim']>

/** A state folder with a rehearsal that was interrupted, in a world that is that process. */
async function interruptedIn(sim: Pick<Sim, 'pid' | 'started'>): Promise<{ stateDir: string; run: string }> {
  const [stateDir, run] = [temporaryFolder(), '20190225-124003-data100-x7k2']
  const journal = await new StateFolder(stateDir).create(run, () => new Date())
  await journal.append('run.started', {
    ...started,
    runbook: { ...started.runbook, path: data100 },
    mode: 'rehearsal',
    confirmed: 'rehearsal',
    sim: { ...sim, control: 'https://127.0.0.1:9/_world', world: 'sha256:0', speed: 30 },
  })
  await journal.append('run.planned', planned)
  await journal.append('run.interrupted', { signal: 'SIGINT' })
  await journal.append('run.finished', { outcome: 'interrupted', elapsedMs: 1, wallMs: 1 })
  await journal.close()
  return { stateDir, run }
}

describe('a rehearsal whose world has ended', () => {
  it('says so, and how to rehearse afresh, wherever it is asked after', async () => {
    const { stateDir, run } = await interruptedIn({ pid: process.pid, started: 'another boot/1' })
    const here = ['--state-dir', stateDir]
    const status = await lifeboatHere(['status', ...here])
    expect(status.stdout).toMatch(/its simulated world has ended/)
    expect(status.stdout).toContain(`next    lifeboat rehearse ${data100}`)
    expect((await lifeboatHere(['runs', ...here])).stdout).toMatch(/x7k2 +world-ended /)
    for (const command of ['resume', 'undo']) {
      const { code, stderr } = await lifeboatHere([command, run, ...here])
      expect([code, stderr]).toEqual([4, expect.stringMatching(/simulated world[^]*has ended[^]*To rehearse afresh/)])
    }
  })

  it('is in nobody’s way: a resume without a name does not count it', async () => {
    const { stateDir } = await interruptedIn({ pid: process.pid, started: 'another boot/1' })
    const { code, stderr } = await lifeboatHere(['resume', '--state-dir', stateDir])
    expect([code, stderr]).toEqual([2, expect.stringContaining('there is no unfinished run')])
  })

  it('is none while its world lives', async () => {
    const { stateDir } = await interruptedIn(await processes.self())
    expect((await lifeboatHere(['status', '--state-dir', stateDir])).stdout).toMatch(/interrupted; it can be resumed[^]*next +lifeboat resume/)
  })
})
