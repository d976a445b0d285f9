import { describe, expect, it } from 'vitest'
import { exit } from '../../src/cli/exit.js'
import { orRefused, refuseUnopened } from '../../src/cli/refusal.js'
import { LifeboatError, type RunEvent } from '../../src/contract/index.js'
import { decidedAt, HandClock } from '../helpers/render-samples.js'

const findings = [{ steps: ['move'], level: 'stop', what: 'a lock', mend: 'Remove it.' }] as const

async function toldBy(work: Parameters<typeof orRefused>[1]): Promise<readonly RunEvent[]> {
  const events: RunEvent[] = []
  await orRefused({ listeners: [(event) => void events.push(event)], run: 'r1', site: { clock: new HandClock() }, begins: () => undefined }, work).catch(() => undefined)
  return events
}

describe('the events of a run that does not begin', () => {
  it.each([
    [exit.notReady, 'not-ready'],
    [exit.declined, 'declined'],
  ])('end with what was found, for exit code %i', async (code, why) => {
    const told = await toldBy(async (planned) => {
      planned({ findings })
      return code
    })
    expect(told).toEqual([{ type: 'run.refused', t: decidedAt, run: 'r1', why, findings }])
  })

  it('end with the error that kept it', async () => {
    const told = await toldBy(() => Promise.reject(new LifeboatError('lock.held', 'it is locked', { hint: 'Wait.' })))
    expect(told).toMatchObject([{ type: 'run.refused', why: 'error', findings: [], error: { code: 'lock.held', hint: 'Wait.' } }])
  })

  it('are left to the run once it has begun, and there are none where there was nothing to do', async () => {
    const begun = (_planned: unknown, begins: () => void): Promise<number> => {
      begins()
      return Promise.reject(new Error('the disk is full'))
    }
    expect(await toldBy(begun)).toEqual([])
    expect(await toldBy(async () => exit.done)).toEqual([])
  })
})

describe('a command that is refused before it has a run', () => {
  const error = { code: 'run.unknown', message: 'no', blame: 'user', retryable: false } as const
  const said = (options: { json?: boolean; dryRun?: boolean }, code: number, hasData = false): readonly RunEvent[] => {
    let text = ''
    refuseUnopened({ hasData, data: (more) => void (text += more) }, options, code, error)
    return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as RunEvent]))
  }

  it('tells a whole stream of events to whoever asked for one', () => {
    expect(said({ json: true }, exit.usage)).toMatchObject([
      { type: 'stream.opened', version: 1, run: '' },
      { type: 'run.refused', why: 'error', findings: [], error: { code: 'run.unknown' } },
    ])
  })

  it('tells nothing to anybody else, nor twice, nor where there was nothing to do', () => {
    expect(said({}, exit.usage)).toEqual([])
    expect(said({ json: true, dryRun: true }, exit.usage)).toEqual([])
    expect(said({ json: true }, exit.usage, true)).toEqual([])
    expect(said({ json: true }, exit.done)).toEqual([])
  })
})
