/**
 * How the golden journals of format 1 were made, by hand and without the journal's own code: `npx tsx
 * test/golden/make-v1.ts` prints them all. They have been released, so the files in `fixtures/journals/` must never change; a
 * new format gets new files and a script of its own.
 */
export interface Draft {
  readonly at: string
  readonly type: string
  readonly data: unknown
}

/** The run's owner and its runbook, in the order of their fields in the record. */
export const owner = { user: 'ann', host: 'laptop', pid: 4242, started: 'boot-1/100' }
export const runbook = (text: string): object => ({ name: 'data100', path: '/runbooks/data100.yaml', text })

const run = '20190225-124003-data100-x7k2'
const server = '/subscriptions/s-1/resourceGroups/data100-20/providers/Microsoft.Compute/virtualMachines/nfs'
const cluster = '/subscriptions/s-1/resourceGroups/data100-20/providers/Microsoft.ContainerService/managedClusters/data100-20s'
const createCluster = { resource: cluster, action: 'create', after: { version: '1.12.5', address: { $pending: ['network'] } } }
const stopServer = { resource: server, action: 'run', before: 'exporting', after: 'stopped', harm: 'live notebooks on data100 stop' }
const busy = { code: 'azure.conflict', message: 'the group is locked', blame: 'cloud', retryable: true }

const planned = {
  firstHarm: 'fence',
  pointOfNoReturn: 'fence',
  criticalPath: ['cluster', 'go', 'fence'],
  totalMs: 720_000,
  steps: [
    {
      id: 'cluster', uses: 'azure/aks-cluster', needs: [], state: 'absent', changes: [createCluster],
      irreversible: {}, estimateMs: 660_000, startMs: 0,
    },
    { id: 'go', uses: 'gate', needs: ['cluster'], state: 'gate', changes: [], irreversible: {}, estimateMs: 0, startMs: 660_000 },
    {
      id: 'fence', uses: 'nfs/fence', needs: ['go'], state: 'assumed', changes: [stopServer],
      irreversible: { [server]: 'open files are lost' }, estimateMs: 60_000, startMs: 660_000,
    },
  ],
}

const child = { pid: 5151, started: 'boot-1/200', host: 'laptop', command: 'ssh nfs zpool export hubs', survivor: 'end' }

/** A run that is interrupted, resumed, asked, surprised, and succeeds. Every type of record is in it. */
const finished: readonly Draft[] = [
  {
    at: '12:40:03',
    type: 'run.started',
    data: {
      runbook: runbook('name: data100\n# größer → 2 Knoten 🚢\n'),
      mode: 'rehearsal',
      cloud: { name: 'world', resourceManager: 'https://127.0.0.1:4711', subscription: 's-1', path: '/w/cloud.yaml' },
      owner,
      pins: [{ path: 'charts/hub', digest: 'sha256:2c26b46b' }],
      confirmed: 'rehearsal',
      realStartedAt: '2026-01-05T09:00:00.000Z',
      sim: { pid: 4300, started: 'boot-1/90', control: 'https://127.0.0.1:4711/_world' },
    },
  },
  { at: '12:40:04', type: 'run.planned', data: planned },
  { at: '12:40:05', type: 'step.started', data: { step: 'cluster', uses: 'azure/aks-cluster', attempt: 1 } },
  { at: '12:40:06', type: 'step.intent', data: { step: 'cluster', changes: [createCluster] } },
  { at: '12:40:07', type: 'step.retrying', data: { step: 'cluster', attempt: 1, inMs: 5000, error: busy } },
  { at: '12:40:12', type: 'step.checkpoint', data: { step: 'cluster', what: { accepted: cluster } } },
  { at: '12:45:00', type: 'run.interrupted', data: { signal: 'SIGINT' } },
  { at: '12:45:01', type: 'run.finished', data: { outcome: 'interrupted', elapsedMs: 298_000, wallMs: 9_933 } },
  {
    at: '12:46:00',
    type: 'run.resumed',
    data: { owner: { ...owner, pid: 4400 }, realStartedAt: '2026-01-05T09:00:12.000Z', acceptedChanges: false },
  },
  { at: '12:46:01', type: 'step.started', data: { step: 'cluster', uses: 'azure/aks-cluster', attempt: 2 } },
  { at: '12:51:04', type: 'step.applied', data: { step: 'cluster' } },
  {
    at: '12:51:05',
    type: 'step.verified',
    data: { step: 'cluster', outputs: { id: cluster, context: 'data100-20s' }, changes: 1, elapsedMs: 304_000 },
  },
  { at: '12:51:06', type: 'question.asked', data: { step: 'go', question: { kind: 'gate', step: 'go', text: 'Cut data100 off?' } } },
  { at: '12:51:30', type: 'question.answered', data: { step: 'go', kind: 'gate', answer: { choice: 'go', by: 'ann' } } },
  { at: '12:51:31', type: 'step.started', data: { step: 'fence', uses: 'nfs/fence', attempt: 1 } },
  {
    at: '12:51:32',
    type: 'question.asked',
    data: {
      step: 'fence',
      question: { kind: 'surprise', step: 'fence', shown: [stopServer], now: [{ ...stopServer, after: 'masked' }] },
    },
  },
  { at: '12:51:40', type: 'question.answered', data: { step: 'fence', kind: 'surprise', answer: { choice: 'go', by: 'ann' } } },
  { at: '12:51:41', type: 'step.intent', data: { step: 'fence', changes: [{ ...stopServer, after: 'masked' }] } },
  { at: '12:51:42', type: 'child.started', data: { step: 'fence', child } },
  { at: '12:51:43', type: 'survivor.handled', data: { step: 'fence', pid: 9999, command: 'ssh nfs true', how: 'gone' } },
  { at: '12:51:50', type: 'child.ended', data: { step: 'fence', pid: 5151, exitCode: 255, signal: null } },
  {
    at: '12:51:51',
    type: 'step.failed',
    data: { step: 'fence', error: { code: 'ssh.failed', message: 'pool is busy', blame: 'cloud', retryable: false }, elapsedMs: 20_000 },
  },
  { at: '12:52:00', type: 'step.skipped', data: { step: 'fence', reason: 'the server is gone', by: 'ann' } },
  { at: '12:52:01', type: 'run.finished', data: { outcome: 'succeeded', elapsedMs: 718_000, wallMs: 24_000 } },
]

/** The polynomial of ISO 3309, bit by bit: slow, and nobody's library. */
function crc(text: string): string {
  let sum = 0xffffffff
  for (const byte of new TextEncoder().encode(text)) {
    sum ^= byte
    for (let bit = 0; bit < 8; bit += 1) sum = (sum & 1) === 0 ? sum >>> 1 : (sum >>> 1) ^ 0xedb88320
  }
  return ((sum ^ 0xffffffff) >>> 0).toString(16).padStart(8, '0')
}

/** Each record as a line of run `data100-x7k2`, numbered and sealed. */
export function lines(drafts: readonly Draft[], of: string = run): string[] {
  return drafts.map(({ at, type, data }, index) => {
    const body = JSON.stringify({ v: 1, seq: index + 1, t: `2019-02-25T${at}.000Z`, run: of, type, data })
    return `${body.slice(0, -1)},"crc":"${crc(body)}"}\n`
  })
}

/** The golden files by name. */
export function goldenJournals(): ReadonlyMap<string, string> {
  const all = lines(finished)
  // Killed while the sixth record was written, in the middle of it.
  const torn = all.slice(0, 5).join('') + (all[5] ?? '').slice(0, 80)
  return new Map([['v1-finished.ndjson', all.join('')], ['v1-torn.ndjson', torn]])
}

if (process.argv[1]?.endsWith('make-v1.ts') === true) {
  for (const [name, text] of goldenJournals()) process.stdout.write(`== ${name}\n${text}\n`)
}
