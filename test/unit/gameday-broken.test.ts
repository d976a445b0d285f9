import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Jobs } from '../../src/cli/trial/job.js'
import { junitXml, scorecardLines } from '../../src/gameday/index.js'
import { root } from '../helpers/cli.js'

it('a scenario whose playing itself breaks is a failed scorecard, so that what others came to is told all the same', async () => {
  const program = async (): Promise<number> => {
    throw new RangeError('Invalid time value')
  }
  const jobs = new Jobs({ env: process.env, program, self: 'lifeboat', signal: new AbortController().signal })
  const result = await jobs.do({ kind: 'gameday', seed: 7, file: join(root, 'fixtures/gamedays/17-deployments-go-back.yaml') })
  if (result.kind !== 'gameday') throw new TypeError('no scorecard')
  expect(result.card).toMatchObject({ name: 'deployments-go-back', verdict: 'failed', expectations: [{ held: false, found: 'Invalid time value' }] })
  expect(scorecardLines(result.card).join('\n')).toContain('✗ the scenario is played to its end; found: Invalid time value')
  expect(junitXml([result.card])).toContain('<failure message="Invalid time value"/>')
})
