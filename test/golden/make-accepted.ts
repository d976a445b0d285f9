import { lines, owner, runbook, type Draft } from './make-v1.js'

/**
 * How the golden journal of alternatives was made, as `make-v1.ts` made the first ones: format 1 with the fields that came with
 * them. Released, so what it makes must never change.
 */
const group = 'MC_data100-19s'
const disk = (name: string, after: unknown): unknown => ({ resource: `disk ${name}`, action: 'update', after })
const deallocate = { resource: 'machine nfs', action: 'run', before: { power: 'running' }, after: { power: 'deallocated' }, harm: 'it stops' }
const silent = {
  code: 'fence.silent', message: 'nfs does not answer', blame: 'cloud', retryable: false, hint: 'Is it up?',
  alternative: { id: 'deallocate', offer: 'stop the machine', changes: [deallocate] },
}
const refused = {
  code: 'move.refused', message: 'the move is refused', blame: 'user', retryable: false,
  alternative: { id: 'attach-across-groups', offer: 'the disks stay where they are', changes: [] },
}
const planned = {
  firstHarm: 'fence', pointOfNoReturn: null, criticalPath: ['fence', 'move'], totalMs: 300_000,
  steps: [
    { id: 'fence', uses: 'nfs/fence', needs: [], state: 'drifted', changes: [deallocate], irreversible: {}, estimateMs: 60_000, startMs: 0 },
    {
      id: 'move', uses: 'azure/move-resources', needs: ['fence'], state: 'drifted', changes: [disk('d0', { group: 'disks' })],
      irreversible: {}, estimateMs: 240_000, startMs: 60_000,
    },
    {
      id: 'old', uses: 'azure/resource-group', needs: [], state: 'converged', changes: [], irreversible: {}, estimateMs: 0, startMs: 0,
      remark: 'it is there',
    },
  ],
}
const accept = (alternative: string, by: string): unknown => ({ choice: 'accept', by, alternative })

const drafts: readonly Draft[] = [
  {
    at: '12:40:03',
    type: 'run.started',
    data: {
      runbook: runbook('name: data100\n'),
      mode: 'run',
      cloud: { name: 'azure', resourceManager: 'https://management.azure.com', subscription: 's-1', path: null },
      owner,
      pins: [],
      confirmed: 'flag',
      realStartedAt: '2026-01-05T09:00:00.000Z',
    },
  },
  { at: '12:40:04', type: 'run.planned', data: planned },
  { at: '12:40:04', type: 'question.asked', data: { step: 'fence', question: { kind: 'failure', step: 'fence', error: silent } } },
  { at: '12:40:04', type: 'question.answered', data: { step: 'fence', kind: 'failure', answer: accept('deallocate', '--accept') } },
  { at: '12:40:05', type: 'step.started', data: { step: 'move', uses: 'azure/move-resources', attempt: 1 } },
  { at: '12:40:06', type: 'step.intent', data: { step: 'move', changes: [disk('d0', { group: 'disks' })] } },
  { at: '12:40:09', type: 'step.failed', data: { step: 'move', error: refused, elapsedMs: 4_000 } },
  { at: '12:40:09', type: 'question.asked', data: { step: 'move', question: { kind: 'failure', step: 'move', error: refused } } },
  { at: '12:41:00', type: 'question.answered', data: { step: 'move', kind: 'failure', answer: accept('attach-across-groups', 'ann') } },
  { at: '12:41:01', type: 'step.started', data: { step: 'move', uses: 'azure/move-resources', attempt: 2 } },
  {
    at: '12:41:02',
    type: 'step.verified',
    data: { step: 'move', outputs: { resourceGroup: group, disks: [], remark: 'd0 stayed' }, changes: 0, elapsedMs: 57_000 },
  },
]

export const acceptedJournal = lines(drafts).join('')
