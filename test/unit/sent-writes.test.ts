import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { sentWrites } from '../../src/cli/sent-writes.js'
import type { JournalRecord } from '../../src/journal/index.js'
import { verbOf, verbsOf } from '../../src/platform/exec/verbs.js'
import { writesIn } from '../../src/platform/azure/writes.js'
import { owner, Records, started } from '../helpers/journal-samples.js'
import { tempFolder } from '../helpers/temp-folder.js'

const put = { method: 'PUT', path: 'resourceGroups/g' }
const sending = (step = 'a', ...writes: readonly object[]): object => ({ kind: 'sending', step, writes: writes.length === 0 ? [put] : writes })
const answered = (status: number, step = 'a'): object => ({ kind: 'request', step, status, writes: [put] })

/** A run that made one change and came to its end. */
const whole = (): Records =>
  new Records()
    .add('run.started', started)
    .add('step.started', { step: 'a', uses: 'x', attempt: 1 })
    .add('step.intent', { step: 'a', changes: [] })
    .add('step.applied', { step: 'a' })
    .add('step.verified', { step: 'a', outputs: {}, changes: 1, elapsedMs: 1 })

const finished = (records: Records): Records => records.add('run.finished', { outcome: 'succeeded', elapsedMs: 1, wallMs: 1 })

/** As a run's log tells its journal. */
const told = (records: readonly JournalRecord[]): object[] =>
  records.map(({ type, t, data }) => ({ kind: 'event', event: { type, t, ...('step' in data ? { step: data.step } : {}) } }))

function read(records: readonly JournalRecord[], ...lines: readonly (object | string)[]): ReturnType<typeof sentWrites> {
  const path = join(tempFolder(), 'log.ndjson')
  writeFileSync(path, lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''))
  return sentWrites(path, records)
}

describe('what a log says was sent', () => {
  const { list } = finished(whole())
  const outcomes = async (...lines: readonly object[]): Promise<unknown> =>
    (await read(list, ...told(list), ...lines)).map(({ outcome, times, answer }) => [outcome, times, answer])

  it('is one write however often it was sent, and accepted if it ever was', async () => {
    expect(await outcomes(sending(), answered(409), sending(), answered(201), sending(), answered(404))).toEqual([['accepted', 3, 404]])
  })

  it('was refused if each time, and may have happened where an answer is missing or tells of a failure', async () => {
    expect(await outcomes(sending(), answered(403), sending(), answered(409))).toEqual([['refused', 2, 409]])
    expect(await outcomes(sending(), answered(403), sending())).toEqual([['unknown', 2, 403]])
    expect(await outcomes(sending(), answered(503))).toEqual([['unknown', 1, 503]])
    const command = { command: 'zpool import' }
    const ended = (exitCode: number): object => ({ kind: 'command', step: 'a', exitCode, writes: [command] })
    expect(await outcomes(sending('a', command), ended(1))).toEqual([['unknown', 1, 1]])
    expect(await outcomes(sending('a', command), ended(0))).toEqual([['accepted', 1, 0]])
  })

  it('is told of each step by itself, and not of what only reads', async () => {
    const sent = await read(list, ...told(list), sending('a'), answered(200), sending('b'), answered(200, 'b'), { kind: 'request', step: 'a', status: 200, writes: [] })
    expect(sent.map(({ step }) => step)).toEqual(['a', 'b'])
  })
})

describe('a log that is not whole', () => {
  const { list } = finished(whole())

  it('is refused where it is not there, has a line that cannot be read, or leaves out what the journal has', async () => {
    await expect(sentWrites('/nonexistent/log.ndjson', list)).rejects.toMatchObject({ code: 'report.no-log' })
    await expect(read(list, ...told(list), '{"kind":', sending())).rejects.toMatchObject({ code: 'report.log-not-whole', message: expect.stringContaining('line 7') as unknown })
    for (const gone of ['step.intent', 'step.applied', 'step.verified']) {
      const lines = told(list.filter(({ type }) => type !== gone))
      await expect(read(list, ...lines), gone).rejects.toMatchObject({ code: 'report.log-not-whole', message: expect.stringContaining(gone) as unknown })
    }
  })

  it('may end in half a line, and lack the last record of each step of a life that was killed', async () => {
    const killed = whole().list
    const path = join(tempFolder(), 'log.ndjson')
    writeFileSync(path, `${told(killed.slice(0, -1)).map((line) => JSON.stringify(line)).join('\n')}\n{"kind":"req`)
    expect(await sentWrites(path, killed)).toEqual([])
    await expect(read(killed, ...told(killed.slice(0, -2)))).rejects.toMatchObject({ code: 'report.log-not-whole' })
  })

  it('has to tell every life: one that was thrown away between two is found out', async () => {
    const records = whole()
    const first = [...records.list]
    const { list: both } = finished(records.add('run.resumed', { owner, realStartedAt: '2019-02-25T13:00:00Z', acceptedChanges: false }))
    await expect(read(both, ...told(both.slice(first.length)))).rejects.toMatchObject({ code: 'report.log-not-whole' })
    expect(await read(both, ...told(both), sending(), answered(201))).toHaveLength(1)
  })
})

describe('what a request or a command may change', () => {
  const of = (method: string, path: string): unknown => writesIn({ method, url: `https://arm.example${path}?api-version=1` })

  it('is told by method and path, within the subscription', () => {
    expect(of('PUT', '//subscriptions/S/resourcegroups/g')).toEqual([{ method: 'PUT', path: 'resourcegroups/g' }])
    expect(of('PUT', '/subscriptions/S/resourceGroups/g/providers/Microsoft.Network/dnsZones/z/A/%40')).toEqual([{ method: 'PUT', path: 'resourceGroups/g/providers/Microsoft.Network/dnsZones/z/A/@' }])
    expect(of('POST', '/subscriptions/S/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v/start')).toHaveLength(1)
  })

  it('is nothing for what reads, and all that is not known to read', () => {
    const machine = '/subscriptions/S/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v'
    const cluster = '/subscriptions/S/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c'
    for (const path of ['/tenant/oauth2/v2.0/token', `${cluster}/listClusterUserCredential`, `${machine}/runCommand`, '/subscriptions/S/providers/Microsoft.PolicyInsights/checkPolicyRestrictions']) {
      expect(of('POST', path), path).toEqual([])
    }
    expect([of('GET', machine), of('HEAD', machine)]).toEqual([[], []])
    expect(of('POST', `${machine}/reimage`)).toHaveLength(1)
    expect(of('DELETE', machine)).toHaveLength(1)
  })

  it('is told of each command of a script by its program and what that is told to do', () => {
    expect(verbOf(['sudo', '-n', 'zpool', 'export', 'pool0'])).toBe('zpool export')
    expect(verbOf(['/usr/sbin/zpool', 'import', '-N', '1'])).toBe('zpool import')
    expect(verbOf(['helm', 'upgrade', '--install', 'hub'])).toBe('helm upgrade')
    expect(verbOf(['exportfs', '-ra'])).toBe('exportfs')
    expect(verbsOf([['zpool', 'import', '1'], ['sudo', '-n', 'zpool', 'status', 'pool0']], 'g/vm')).toEqual([{ command: 'zpool import', on: 'g/vm' }])
  })
})
