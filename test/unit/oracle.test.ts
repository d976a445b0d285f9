import { describe, expect, it } from 'vitest'
import { missingFrom } from '../../src/gameday/oracle/converged.js'
import { differencesBetween, doneTwice, endOf } from '../../src/gameday/oracle/end-state.js'
import { notPutBack } from '../../src/gameday/oracle/put-back.js'
import { Watch, type Beside } from '../../src/gameday/oracle/watch.js'
import type { Access, ProgramMoment, WorldView } from '../../src/gameday/oracle/world-view.js'

const old = '/groups/old/vm'
const fresh = '/groups/new/vm'
const disk = { id: '/groups/old/disk', uniqueId: 'u1', diskState: 'Attached', managedBy: old, moves: 0 }
const record = { zone: 'example.edu', name: 'hub', type: 'A', ttl: 60, values: ['198.51.100.1'], published: { ttl: 60, values: ['198.51.100.1'] } }
const vm = (id: string, disks: readonly string[], powerState = 'running'): WorldView['vms'][number] => ({
  ...{ id, powerState, provisioningState: 'Succeeded' },
  dataDisks: disks.map((one, lun) => ({ id: one, lun })),
})
const hub = (address: string, answers: boolean): WorldView['hubs'][number] => ({ host: 'hub.example.edu', address, answers, certificate: '' })

const start: WorldView = {
  t: '2019-02-25T19:34:00Z',
  clusters: [],
  vms: [vm(old, [disk.id])],
  disks: [disk],
  snapshots: [],
  resources: [],
  groups: [{ id: '/groups/old', tags: {}, locked: false }],
  recordSets: [record],
  releases: [],
  pools: [{ guid: '1', name: 'homes', disks: ['u1'], health: 'ONLINE', exported: false, importedOn: [old] }],
  hosts: [{ machine: old, answers: true, nfs: true, exports: [{ path: '/homes', clients: '*' }] }],
  hubs: [hub('198.51.100.1', true)],
  operations: [],
  violations: [],
}

const pointed = { ...start, recordSets: [{ ...record, values: ['203.0.113.2'] }] }
const put = (path: string): Access => ({ door: 'arm', method: 'PUT', path, status: 201, writes: true })
const asked: Access = { door: 'http', method: 'GET', path: 'https://hub.example.edu/hub/login at 203.0.113.2', status: 200, writes: false }

interface Told {
  readonly hubs?: WorldView['hubs']
  readonly intents?: number
  readonly atWork?: number
  readonly operations?: WorldView['operations']
}

const besideOf = (told: Partial<Beside>): Beside => ({
  ...{ hubs: () => start.hubs, openIntents: () => 1, hasIntent: (step, life = 'life 1') => step === 'attach' && life === 'life 1' },
  ...{ atWork: () => 1, operations: () => [], nowMs: () => 0 },
  atStart: new Set(['/groups/old/address']),
  ...told,
})

/** What is said of a failover in which that was seen and heard, in turn. */
function saidOf(seen: readonly (WorldView | Access | { readonly late: string })[], beside: Told = {}): readonly string[] {
  const { hubs = start.hubs, intents = 1, atWork = 1, operations = [] } = beside
  const told = { hubs: () => hubs, openIntents: () => intents, atWork: () => atWork, operations: () => operations }
  const watch = new Watch(start, besideOf(told))
  for (const one of seen) {
    if ('door' in one) watch.hear(one)
    else if ('late' in one) watch.hearOfLate(one.late)
    else watch.look(one)
  }
  return watch.violations
}

describe('the oracle, while a failover goes on', () => {
  it('sees a write into what an operation has in hand, and no look that is refused for it', () => {
    const operations = [{ what: 'move', resource: '/groups/old', also: ['/groups/new'], status: 'running' }]
    const refused = { ...put('/groups/new/vm'), status: 409 }
    expect(saidOf([refused], { operations })).toEqual(['written to while move was at work on it: PUT /groups/new/vm'])
    // What a killed life has sent: whoever came after it has looked before that arrived.
    expect(saidOf([{ ...refused, orphaned: true }], { operations })).toEqual([])
    // A given-up write that arrives late begins an operation that nobody can know of before the next look.
    const late = { late: '/groups/new/vm/start' }
    const read: Access = { ...put('/groups/new/vm'), method: 'GET', status: 200, writes: false }
    expect(saidOf([late, refused], { operations })).toEqual([])
    expect(saidOf([late, read, refused], { operations })).toHaveLength(1)
    const ended = operations.map((one) => ({ ...one, status: 'succeeded' }))
    const look = { ...refused, method: 'POST', path: '/groups/old/validateMoveResources' }
    expect([...saidOf([refused], { operations: ended }), ...saidOf([look], { operations })]).toEqual([])
  })

  it.each([
    ['what Azure has said a moment ago', [fresh, disk.id], 0, []],
    ['what it said long ago', [fresh, disk.id], 121_000, [fresh]],
    ['where its server is alone', [fresh], 0, [disk.id]],
    ['nothing', [], 0, [fresh]],
  ])('holds an import against what Azure was asked before: on the strength of %s', (_what, asked, agoMs, missing) => {
    let nowMs = 0
    const watch = new Watch(start, besideOf({ hubs: () => [], nowMs: () => nowMs }))
    for (const path of asked) watch.hear({ door: 'arm', method: 'GET', path, status: 200, writes: false })
    watch.hear({ door: 'arm', method: 'GET', path: disk.id, status: 503, writes: false })
    nowMs = agoMs
    watch.imports(fresh)
    // What it takes does not count, and what is asked meanwhile does not help.
    nowMs += 600_000
    for (const path of [fresh, disk.id]) watch.hear({ door: 'arm', method: 'GET', path, status: 200, writes: false })
    watch.look({ ...start, pools: [{ ...start.pools[0]!, importedOn: [fresh] }] })
    watch.look({ ...start, pools: [{ ...start.pools[0]!, importedOn: [old] }] })
    expect(watch.violations).toEqual(missing.map((id) => `pool homes was imported on ${fresh}, and nobody had asked Azure right before where ${id} was`))
  })

  it('says nothing of a world that is as it was', () => {
    expect(saidOf([start, put('/a'), { ...put('/a'), method: 'GET', writes: false }, put('/a')])).toEqual([])
  })

  it.each([
    ['a disk with two writers', { ...start, vms: [vm(old, [disk.id]), vm(fresh, [disk.id])] }, /is attached to .*old.* and to .*new.*, and both run/],
    ['a pool on two servers', { ...start, pools: [{ ...start.pools[0]!, importedOn: [old, fresh] }] }, /pool homes is imported on/],
    ['a disk that is gone', { ...start, disks: [] }, /disk u1 was there at the start and is gone/],
    ['a group that is gone', { ...start, groups: [] }, /group \/groups\/old was there/],
    ['a name that is gone', { ...start, recordSets: [] }, /record hub.example.edu a was there/],
  ])('sees %s', (_what, view, words) => {
    expect(saidOf([view])).toEqual([expect.stringMatching(words)])
  })

  it('lets a disk be attached elsewhere once its server does not run, and be moved', () => {
    const moved = { ...start, vms: [vm(old, [disk.id], 'deallocated'), vm(fresh, [disk.id])], disks: [{ ...disk, id: '/groups/new/disk' }] }
    expect(saidOf([moved])).toEqual([])
  })

  it('has one run at work at a time', () => {
    expect(saidOf([put('/a')], { atWork: 2 })).toEqual([expect.stringMatching(/two runs change the same target at once: arm PUT/)])
  })

  it('lets two make their first group both, once each, and nothing else', () => {
    const group = (name: string): Access => put(`/subscriptions/s/resourceGroups/${name}`)
    const twice = /written twice without a look/
    expect(saidOf([group('first'), group('First')], { atWork: 2 })).toEqual([])
    expect(saidOf([group('first'), group('first')])).toEqual([expect.stringMatching(twice)])
    expect(saidOf([group('first'), group('first'), group('first')], { atWork: 2 })).toEqual([expect.stringMatching(/two runs change the same target at once/)])
    expect(saidOf([group('first'), group('second')], { atWork: 2 })).toEqual([expect.stringMatching(/two runs change the same target at once: .*second$/)])
  })

  it('has nothing written over that somebody else has changed meanwhile', () => {
    const watch = new Watch(start, besideOf({}))
    watch.hearOfOthers('/zone/A/hub')
    watch.hear({ ...put('/zone/a/hub'), status: 412 })
    expect(watch.violations).toEqual([])
    watch.hear({ ...put('/zone/a/hub'), method: 'GET', writes: false })
    watch.hear(put('/zone/a/hub'))
    expect(watch.violations).toEqual([])
    watch.hearOfOthers('/zone/A/hub')
    watch.hear({ ...put('/zone/a/hub'), method: 'PATCH' })
    expect(watch.violations).toEqual([expect.stringMatching(/somebody else had changed it/)])
  })

  it('has a name lead only to a hub that has answered', () => {
    const there = [hub('203.0.113.2', true)]
    expect(saidOf([pointed])).toEqual([expect.stringMatching(/where no hub of that name is/)])
    expect(saidOf([pointed], { hubs: there })).toEqual([expect.stringMatching(/which had answered nobody before/)])
    expect(saidOf([asked, pointed], { hubs: there })).toEqual([])
    expect(saidOf([asked, pointed, start], { hubs: there })).toEqual([])
    // One that has gone meanwhile has answered for itself, not for the next one that is there.
    let hubs: ReturnType<Beside['hubs']> = there
    const watch = new Watch(start, besideOf({ hubs: () => hubs }))
    watch.hear(asked)
    for (const one of [there, start.hubs, there]) {
      hubs = one
      watch.look(start)
    }
    watch.look(pointed)
    expect(watch.violations).toEqual([expect.stringMatching(/which had answered nobody before/)])
    expect(saidOf([asked, pointed], { hubs: [hub('203.0.113.2', false)] })).toEqual([])
    expect(saidOf([{ ...asked, status: 503 }, pointed], { hubs: there })).toHaveLength(1)
  })

  it('wants an intent before a write, but for the marks of who is at work', () => {
    const mark = put('/groups/new/providers/Microsoft.Resources/tags/default')
    expect(saidOf([put('/a'), mark], { intents: 0 })).toEqual(['written without an intent in the journal: arm PUT /a'])
    expect(saidOf([{ ...put('/a'), orphaned: true }], { intents: 0 })).toEqual([])
  })

  it('wants an intent of the very step that a write is sent for, where that is known', () => {
    expect(saidOf([{ ...put('/a'), by: 'attach' }])).toEqual([])
    // Somebody else's covers nothing.
    expect(saidOf([{ ...put('/a'), by: 'attach', life: 'life 2' }])).toEqual(['written without an intent in the journal: arm PUT /a'])
    expect(saidOf([{ ...put('/a'), by: 'detach' }])).toEqual(['written without an intent in the journal: arm PUT /a'])
    expect(saidOf([{ ...put('/a'), by: 'detach', orphaned: true }])).toEqual([])
  })

  it('holds what a program writes against the step that it was begun for, as that stood then', () => {
    let intents = new Set<string>()
    const watch = new Watch(start, besideOf({ openIntents: () => 1, hasIntent: (step) => intents.has(step) }))
    const begins = (program: string, by: string): void => watch.hearOfProgram({ when: 'begins', program, by, what: program, writes: true })
    const writes = (path: string, program: string, by: string): void => watch.hear({ door: 'ssh', method: 'EXEC', path, status: 0, writes: true, by, program })
    begins('ssh 1', 'import')
    intents = new Set(['import'])
    begins('ssh 2', 'import')
    begins('helm 3', 'hub')
    // It goes on when its step has failed, or its life has ended.
    intents = new Set()
    for (const [program, by] of [['ssh 1', 'import'], ['ssh 2', 'import'], ['helm 3', 'hub']] as const) writes(`by ${program}`, program, by)
    const without = (program: string): string => `written without an intent in the journal: ssh EXEC by ${program}`
    expect(watch.violations).toEqual([without('ssh 1'), without('helm 3')])
  })

  it('has what Azure runs on a machine judged when it was sent', () => {
    const script: Access = { door: 'runCommand', method: 'EXEC', path: 'zpool export homes', status: 200, writes: true }
    expect(saidOf([{ ...script, by: 'detach' }])).toEqual([])
    expect(saidOf([script], { intents: 0 })).toHaveLength(1)
  })

  it('wants a look of the same step between two programs that do the same', () => {
    const said = (...moments: readonly Partial<ProgramMoment>[]): readonly string[] => {
      const watch = new Watch(start, besideOf({}))
      for (const one of moments) watch.hearOfProgram({ when: 'begins', program: 'p', by: 'attach', what: 'ssh vm zpool import', writes: true, ...one })
      return watch.violations
    }
    const look = { when: 'answered', what: 'ssh vm zpool status', writes: false } as const
    const twice = ['begun twice without a look in between, for attach: ssh vm zpool import']
    // Nobody knows what another life, which may be dead, has seen.
    expect([said({}, { ...look, life: 'life 1' }, { life: 'life 2' }), said({}, { ...look, life: 'life 2' }, { life: 'life 2' })]).toEqual([twice, []])
    expect([said({}, {}), said({}, { when: 'answered' }, {}), said({}, { ...look, by: 'other' }, {}), said({}, { ...look, when: 'begins' }, {})]).toEqual([
      ...[twice, twice, twice, twice],
    ])
    expect([said({}, look, {}), said({}, { by: 'other' }), said({}, { what: 'ssh vm zpool export' })]).toEqual([[], [], []])
    const behindLock = { what: 'ssh vm sudo -n flock -w 48 /run/lock/lifeboat.lock zfs list -H -o name' }
    const andMore = { what: `${behindLock.what} && zfs mount a` }
    expect([said(behindLock, behindLock), said(andMore, andMore)]).toEqual([[], [`begun twice without a look in between, for attach: ${andMore.what}`]])
  })

  it('takes only what tells of a release, or that it is not there, for a look at it', () => {
    const said = (what: string, exitCode: number, stderr = ''): number => {
      const watch = new Watch(start, besideOf({}))
      const begun = { when: 'begins', program: 'p', by: 'attach', what: 'helm upgrade hub', writes: true } as const
      watch.hearOfProgram(begun)
      watch.hearOfProgram({ ...begun, when: 'answered', what, writes: false, end: { exitCode, stderr } })
      watch.hearOfProgram(begun)
      return watch.violations.length
    }
    expect([said('helm history hub', 0), said('helm history hub', 1, 'Error: release: not found'), said('ssh vm test -e /x', 1)]).toEqual([0, 0, 0])
    expect([said('helm history hub', 1, 'Error: Kubernetes cluster unreachable'), said('helm template hub', 0), said('kubectl version', 0)]).toEqual([1, 1, 1])
  })

  it('has nothing deleted that the failover has not created', () => {
    const gone = (path: string, status = 202): Access => ({ ...put(path), method: 'DELETE', status })
    const said = (path: string): string => `deleted, though this failover had not made it: ${path}`
    expect(saidOf([put('/groups/new/address'), gone('/groups/NEW/address')])).toEqual([])
    expect(saidOf([gone('/groups/new/address')])).toEqual([said('/groups/new/address')])
    expect(saidOf([put('/groups/old/address'), gone('/groups/old/address')])).toEqual([said('/groups/old/address')])
    // It was there, and was changed.
    expect(saidOf([{ ...put('/a'), status: 200 }, gone('/a')])).toEqual([said('/a')])
    expect(saidOf([gone('/a', 204), gone('/a', 404)])).toEqual([])
  })

  it('has no hub pointed to nothing', () => {
    expect(saidOf([{ ...start, recordSets: [{ ...record, values: [] }] }])).toEqual(['hub.example.edu was pointed to nothing'])
  })

  it.each(['starting', 'stopping', 'deallocating'])('holds a server that is %s for one that may write', (powerState) => {
    expect(saidOf([{ ...start, vms: [vm(old, [disk.id], powerState), vm(fresh, [disk.id])] }])).toHaveLength(1)
  })

  it('counts actions, too, and no answer that is none for a look', () => {
    const stop = { ...put('/groups/old/vm/deallocate'), method: 'POST', status: 202 }
    const look = (status: number, path = '/groups/old/vm'): Access => ({ door: 'arm', method: 'GET', path, status, writes: false })
    const twice = ['written twice without a look in between: POST /groups/old/vm/deallocate']
    expect(saidOf([stop, stop])).toEqual(twice)
    expect(saidOf([stop, look(503), stop])).toEqual(twice)
    expect([saidOf([stop, look(200), stop]), saidOf([put('/a'), look(404, '/a'), put('/a')])]).toEqual([[], []])
  })

  it('wants a look between two writes of the same', () => {
    expect(saidOf([put('/a'), put('/b'), put('/a')])).toEqual(['written twice without a look in between: PUT /a'])
    const look: Access = { ...put('/a'), method: 'GET', status: 200, writes: false }
    const twice = ['written twice without a look in between: PUT /a']
    // What nobody has heard is no look, nor is another life's.
    expect(saidOf([put('/a'), { ...look, orphaned: true }, put('/a')])).toEqual(twice)
    expect(saidOf([put('/a'), { ...look, life: 'life 1' }, { ...put('/a'), life: 'life 2' }])).toEqual(twice)
    expect(saidOf([put('/a'), { ...look, life: 'life 2' }, { ...put('/a'), life: 'life 2' }])).toEqual([])
    const late: Access = { ...put('/a'), orphaned: true }
    expect([saidOf([put('/a'), late]), saidOf([late, put('/a')])]).toEqual([[], []])
  })
})

describe('the oracle, when a failover is over', () => {
  const over: WorldView = {
    ...start,
    vms: [vm(old, [], 'deallocated'), vm(fresh, [disk.id])],
    pools: [{ ...start.pools[0]!, importedOn: [fresh] }],
    hosts: [{ machine: fresh, answers: true, nfs: true, exports: [{ path: '/homes', clients: '*' }] }],
    recordSets: [{ ...record, values: ['203.0.113.2'], published: { ttl: 60, values: ['203.0.113.2'] } }],
    hubs: [hub('198.51.100.1', false), hub('203.0.113.2', true)],
  }

  it('misses nothing where the hub answers at its name, from the storage of one new server', () => {
    expect(missingFrom(start, over)).toEqual([])
  })

  it.each([
    ['a hub that does not answer', { hubs: [hub('203.0.113.2', false)] }, /leads to 203.0.113.2, where it does not answer/],
    ['a pool on the old server', { pools: start.pools, hosts: start.hosts }, /still on the old server/],
    ['a server that exports nothing', { hosts: [] }, /exports nothing/],
    ['a release half done', { releases: [{ cluster: 'c', namespace: 'hub', name: 'hub', revision: 1, status: 'pending-install' }] }, /is pending-install/],
    ['a machine whose making has failed', { vms: [{ ...vm(fresh, [disk.id], 'unknown'), provisioningState: 'Failed' }] }, /new\/vm is Failed/],
    ['a copy that is whole', { snapshots: [{ id: '/groups/s/disk-1', of: 'u1', torn: true }] }, /of disk u1 there are torn copies only/],
    ['a group that is locked', { groups: [{ id: '/groups/new', tags: {}, locked: true }] }, /is locked/],
    ['what the world itself saw', { violations: ['a disk was torn'] }, /the world saw: a disk was torn/],
  ])('misses %s', (_what, change, words) => {
    expect(missingFrom(start, { ...over, ...change })).toContainEqual(expect.stringMatching(words))
  })

  it('takes a cluster that has failed only where it had at the start', () => {
    const failed = { clusters: [{ id: '/groups/new/hubs', provisioningState: 'Failed' }] }
    expect(missingFrom(start, { ...over, ...failed })).toEqual(['/groups/new/hubs is Failed'])
    expect(missingFrom({ ...start, ...failed }, { ...over, ...failed })).toEqual([])
  })

  it('takes a machine that runs for whole, however the last operation on it went', () => {
    const [fenced, made] = over.vms
    expect(missingFrom(start, { ...over, vms: [fenced!, { ...made!, provisioningState: 'Failed' }] })).toEqual([])
  })

  it('takes a torn copy beside a whole one, and one that was there', () => {
    const copy = (id: string, torn: boolean): WorldView['snapshots'][number] => ({ id: `/groups/s/${id}`, of: 'u1', torn })
    expect(missingFrom(start, { ...over, snapshots: [copy('a', true), copy('b', false)] })).toEqual([])
    expect(missingFrom({ ...start, snapshots: [copy('a', true)] }, { ...over, snapshots: [copy('a', true)] })).toEqual([])
  })

  it('holds two ends against each other, whatever the times in the names of safety copies', () => {
    const copy = (time: string): WorldView => ({ ...over, snapshots: [{ id: `/groups/s/disk-u1-${time}`, of: 'u1', torn: false }] })
    expect(differencesBetween(endOf(copy('20190225194008')), endOf(copy('20190225194056')))).toEqual([])
    const twice = { ...over, snapshots: [...copy('20190225194008').snapshots, ...copy('20190225194056').snapshots] }
    expect(differencesBetween(endOf(copy('20190225194008')), endOf(twice))).toEqual(['+ snapshot /groups/s/disk-u1: of u1'])
  })

  it.each([['running', 0], ['deallocated', 0], ['unknown', 2]])('holds Failed against a machine that never ran: %s', (power, count) => {
    const one = { ...over, vms: [vm(old, [], power)] }
    const failed = { ...one, vms: [{ ...vm(old, [], power), provisioningState: 'Failed' }] }
    expect(differencesBetween(endOf(one), endOf(failed))).toHaveLength(count)
  })

  it('holds everything that has an id against each other, once', () => {
    const address = { id: '/groups/new/ip', type: 'Microsoft.Network/publicIPAddresses' }
    const more = { ...over, resources: [address, { id: fresh, type: 'Microsoft.Compute/virtualMachines' }] }
    expect(differencesBetween(endOf(over), endOf(more))).toEqual(['+ resource /groups/new/ip: microsoft.network/publicipaddresses'])
    expect(notPutBack(start, { ...start, resources: [address] })).toHaveLength(1)
  })

  it('counts what was done twice, and not what may be', () => {
    const did = (...what: readonly string[]): WorldView => ({ ...over, operations: what.map((one) => ({ what: one, resource: 'a', status: 'succeeded' })) })
    expect(doneTwice(did('move'), did('move', 'move'))).toEqual(['move a: 2 times instead of 1'])
    expect(doneTwice(did('move'), did('move', 'nat gateway'))).toEqual(['nat gateway a: 1 times instead of 0'])
    expect(doneTwice(did('runCommand'), did('runCommand', 'runCommand'))).toEqual([])
  })
})

describe('the oracle, once a failover was undone', () => {
  const copies = [{ id: '/groups/copies/disk-20190225193400', of: 'u1', torn: false }]
  const moved = { ...start, disks: [{ ...disk, moves: 2 }], snapshots: copies, groups: [...start.groups, { id: '/groups/copies', tags: {}, locked: false }] }

  it('lets copies stay, and forgets how often a disk was moved', () => {
    expect(notPutBack(start, moved)).toEqual([])
  })

  it.each([
    ['a disk at another LUN', { ...moved, vms: [{ ...vm(old, [disk.id]), dataDisks: [{ id: disk.id, lun: 3 }] }] }, /^- vm .* at 0$/],
    ['a pool that nobody has', { ...moved, pools: [{ ...start.pools[0]!, exported: true, importedOn: [] }] }, /^- pool homes/],
    ['NFS that does not serve', { ...moved, hosts: [{ ...start.hosts[0]!, nfs: false }] }, /^- host /],
    ['a name that leads elsewhere', { ...moved, recordSets: pointed.recordSets }, /^- record hub/],
    ['a machine that was made', { ...moved, vms: [vm(old, [disk.id]), vm(fresh, [])] }, /^\+ vm \/groups\/new\/vm/],
  ])('sees %s', (_what, end, words) => {
    expect(notPutBack(start, end)).toContainEqual(expect.stringMatching(words))
  })
})
