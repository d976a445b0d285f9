import { expect, it } from 'vitest'
import { admitted } from '../../src/cli/target.js'
import { LifeboatError } from '../../src/contract/index.js'
import { HandClock } from '../helpers/render-samples.js'

it('whoever waits for a cloud that does not answer is told at once what for', async () => {
  const clock = new HandClock()
  const said: string[] = []
  let tries = 0
  const target = {
    admit: async (): Promise<void> => {
      tries += 1
      if (tries === 1) throw new LifeboatError('azure.unreachable', 'Azure does not answer', { retry: {} })
    },
  }
  const done = admitted(target, { clock }, new AbortController().signal, (message) => said.push(message))
  for (let turn = 0; turn < 20 && clock.sleeping === 0; turn += 1) await Promise.resolve()
  expect(said).toEqual(['Who is at work on this target cannot be told yet, trying again: Azure does not answer'])
  await clock.pass(10 * 60_000)
  await done
  expect(tries).toBe(2)
})
