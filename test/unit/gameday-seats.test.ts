import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Program } from '../../src/cli/invocation.js'
import { Jobs } from '../../src/cli/trial/job.js'
import { root, temporaryFolder } from '../helpers/cli.js'

/** A scenario in which the operator types `run`, and a colleague goes on from another machine. */
function scenario(when: string): string {
  const path = join(temporaryFolder(), 'seats.yaml')
  const lines = [
    'apiVersion: lifeboat/gameday/v1',
    'name: seats',
    'reason: of a test',
    `runbook: ${join(root, 'runbooks/minimal.yaml')}`,
    'hypothesis: a shell is that of one machine',
    `faults: [{ id: shell, when: ${when}, do: { shell: { KUBECONFIG: /elsewhere } } }]`,
    'operator: { does: [run, { wait: 2m }, { elsewhere: {} }] }',
    'expect: { outcome: succeeded, converged: false }',
  ]
  writeFileSync(path, `${lines.join('\n')}\n`)
  return path
}

it("variables of the operator's shell do not come to a colleague's, nor does a fault meet them there", async () => {
  const seen: (string | undefined)[] = []
  const program: Program = async (_words, { env }) => {
    seen.push(env['KUBECONFIG'])
    return 0
  }
  const jobs = new Jobs({ env: {}, program, self: 'lifeboat', signal: new AbortController().signal })
  const neverFired = async (when: string): Promise<readonly string[] | undefined> => {
    const result = await jobs.do({ kind: 'gameday', seed: 7, file: scenario(when) })
    return result.kind === 'gameday' ? result.card.neverFired : undefined
  }
  expect(await neverFired('{ after: 0s }')).toEqual([])
  expect(seen.splice(0)).toEqual(['/elsewhere', undefined])
  expect(await neverFired('{ after: 1m }')).toEqual(['fault 1 (shell) never fired: nothing met it'])
  expect(seen).toEqual([undefined, undefined])
})
