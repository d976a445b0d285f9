import { expect, it } from 'vitest'
import type { RequestEntry } from '../../src/sim/world/model.js'
import { drawn, kindsOf, momentsOf, momentText } from '../helpers/moments.js'
import { Records, started } from '../helpers/journal-samples.js'

const request = (door: RequestEntry['door'], method: string, path: string): RequestEntry => ({ t: '', door, method, path, status: 200, writes: method !== 'GET' })
const records = new Records().add('run.started', started)
for (const step of ['a', 'b', 'a']) records.add('step.applied', { step })
const traces = {
  records: records.list,
  requests: [
    ...[request('arm', 'GET', '/disk'), request('arm', 'PUT', '/copy-20190225200358'), request('arm', 'PUT', '/copy-20190225200400')],
    ...[request('kube', 'PATCH', '/pod'), request('ssh', 'EXEC', 'zpool export'), request('dns', 'QUERY', 'A')],
  ],
  children: ['helm version', 'ssh look', 'ssh look'],
}

it('moments of a run are each record and each request that writes, before and after it, and the first of each child', () => {
  expect(momentsOf(traces).filter(({ when, kind }) => when === 'before' || kind === 'child').map(momentText)).toEqual([
    ...['before journal run.started', 'before journal step.applied a', 'before journal step.applied b', 'before journal step.applied a (2)'],
    ...['before arm PUT /copy-…', 'before arm PUT /copy-… (2)', 'before kube PATCH /pod', 'before ssh EXEC zpool export'],
    ...['after child helm version', 'after child ssh look'],
  ])
})

it('a seed draws the same moments each time, none twice, of each kind as many as of the others while there are such', () => {
  const moments = momentsOf(traces)
  const some = drawn(moments, 11, 7)
  expect(drawn([...moments].reverse(), 11, 7)).toEqual(some)
  expect(new Set(some.map(momentText)).size).toBe(11)
  expect(kindsOf(some)).toBe('arm after 2, child started 2, journal after 1, kube after 1, ssh after 1, arm before 1, journal before 1, kube before 1, ssh before 1')
  expect(drawn(moments, 11, 8)).not.toEqual(some)
  expect(drawn(moments, 99, 7)).toHaveLength(moments.length)
})
