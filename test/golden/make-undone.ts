import { lines, owner, runbook, type Draft } from './make-v1.js'

const undoing = '20190225-125000-data100-k4q9'

/**
 * How the golden journals of a run that was undone, and of its undo, were made: format 1 with what came with the way back. Released, so
 * what they make must never change.
 */
const made = { resource: 'resourceGroup data100-nfs', action: 'create', after: { location: 'westus2' } }
const taken = { resource: 'resourceGroup data100-nfs', action: 'delete', before: { location: 'westus2' } }
const begun = {
  runbook: runbook('name: data100\n'),
  mode: 'run',
  cloud: { name: 'azure', resourceManager: 'https://management.azure.com', subscription: 's-1', path: null },
  owner,
  pins: [],
  confirmed: 'flag',
}
const planned = (changes: readonly unknown[]): unknown => ({
  firstHarm: null, pointOfNoReturn: null, criticalPath: ['group'], totalMs: 10_000,
  steps: [{ id: 'group', uses: 'azure/resource-group', needs: [], state: 'absent', changes, irreversible: {}, estimateMs: 10_000, startMs: 0 }],
})

const undone: readonly Draft[] = [
  { at: '12:40:03', type: 'run.started', data: { ...begun, realStartedAt: '2026-01-05T09:00:00.000Z' } },
  { at: '12:40:04', type: 'run.planned', data: planned([made]) },
  { at: '12:40:05', type: 'step.started', data: { step: 'group', uses: 'azure/resource-group', attempt: 1 } },
  { at: '12:40:06', type: 'step.intent', data: { step: 'group', changes: [made] } },
  { at: '12:40:07', type: 'run.interrupted', data: { signal: 'SIGINT' } },
  { at: '12:50:00', type: 'run.undoing', data: { by: undoing } },
]

const undo: readonly Draft[] = [
  {
    at: '12:50:03',
    type: 'run.started',
    data: { ...begun, realStartedAt: '2026-01-05T09:10:00.000Z', undoes: '20190225-124003-data100-x7k2' },
  },
  { at: '12:50:04', type: 'run.planned', data: planned([taken]) },
  { at: '12:50:05', type: 'step.started', data: { step: 'group', uses: 'azure/resource-group', attempt: 1 } },
  { at: '12:50:06', type: 'step.intent', data: { step: 'group', changes: [taken] } },
  { at: '12:50:07', type: 'step.applied', data: { step: 'group' } },
  { at: '12:50:08', type: 'step.verified', data: { step: 'group', outputs: {}, changes: 1, elapsedMs: 3_000 } },
  { at: '12:50:09', type: 'run.finished', data: { outcome: 'succeeded', elapsedMs: 6_000, wallMs: 6_000 } },
]

export const undoneJournals: readonly (readonly [name: string, text: string])[] = [
  ['v1-undone.ndjson', lines(undone).join('')],
  ['v1-undo.ndjson', lines(undo, undoing).join('')],
]
