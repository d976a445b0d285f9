import { Looks } from './looks.js'
import type { Access, ProgramMoment, WorldView } from './world-view.js'

/** What can be seen at a glance, often. */
export type Glance = Pick<WorldView, 'clusters' | 'vms' | 'disks' | 'groups' | 'recordSets' | 'pools'>

/** What the judge is told besides the world's own state. */
export interface Beside {
  /** Which hubs are where, now. */
  hubs(): readonly Pick<WorldView['hubs'][number], 'host' | 'address'>[]
  /** Ids of all that was there at the start, in lower case. */
  atStart: ReadonlySet<string>
  /** Steps that have an intent in the journal, synced, and no end since. Asked where it is not known for which step a write is. */
  openIntents(): number
  /** Is it about to write for this step, as the journal of a life says: of this one, or where it is not known which, of any that lives? */
  hasIntent(step: string, life?: string): boolean
  /** What the world is at, now. Asked only when it refuses a write. */
  operations(): WorldView['operations']
  /** The world's time, in milliseconds. */
  nowMs(): number
  /** Runs that live and are in the midst of changing something, each by what its own journal says; `but`: something else than this step. */
  atWork(but?: string): number
}

const groupPath = /^\/subscriptions\/[^/]+\/resourcegroups\/[^/]+$/i

/** So old may an answer of Azure be that says where disks are, when a pool is imported on the strength of it. */
const proofMs = 2 * 60_000

/**
 * Watches a failover as it goes, and says what must never happen. Written from what the people who lose by it would say, not from what the
 * tool does: it shares no code with it.
 */
export class Watch {
  readonly violations: string[] = []
  readonly #start: Glance
  readonly #beside: Beside
  readonly #records = new Map<string, string>()
  readonly #seen = new Set<string>()
  /** By a write's method and address: who has looked at what it changes since. */
  readonly #written = new Looks()
  /** By program: had its step an intent when it began? It goes on when that step has ended, and the life that began it. */
  readonly #begunWithIntent = new Map<string, boolean>()
  /** By step and command that writes: for whom a program of that step has looked since it was begun. */
  readonly #begun = new Looks()
  /** The first group that is made, in lower case: by it two see each other that begin at the same moment; and whether both have made it. */
  #meeting: string | undefined
  #haveMet = false
  /** The step that makes it: whoever is still at it has changed nothing else, and is about to see the other. */
  #meetingStep: string | undefined
  /** What the failover itself has created, in lower case. */
  readonly #made = new Set<string>()
  /** What somebody else has written to, and who has looked at it since. */
  readonly #othersHave = new Looks()
  /** Where a given-up write has arrived, and nobody has looked since. Whoever begins after that looks first. */
  readonly #arrived = new Set<string>()
  /** When Azure was last asked for something, by its address. */
  readonly #askedMs = new Map<string, number>()
  /** By machine: when Azure had been asked for what, when that one last began to import a pool. */
  readonly #importing = new Map<string, { readonly atMs: number; readonly askedMs: ReadonlyMap<string, number> }>()
  /** By pool: where it was imported when it was last looked at. */
  readonly #importedOn = new Map<string, readonly string[]>()
  /** `host address` that answered over HTTPS when asked. */
  readonly #answered = new Set<string>()

  constructor(start: Glance, beside: Beside) {
    this.#start = start
    this.#beside = beside
    for (const { guid, importedOn } of start.pools) this.#importedOn.set(guid, [...importedOn])
    for (const record of start.recordSets) this.#records.set(keyOf(record), record.values.join(' '))
  }

  /** To be called whenever the world has changed. */
  look(now: Glance): void {
    this.#noTwoHolders(now)
    this.#noTwoImports(now)
    this.#importedByProof(now)
    this.#nothingIsLost(now)
    this.#goneHasNotAnswered()
    this.#namesLeadToHubs(now)
  }

  /** To be called with every entry of the access log. */
  hear(entry: Access): void {
    const { door, method, path, status, writes, orphaned = false } = entry
    if (door === 'http' && status < 400) this.#answered.add(path.replace(/^https:\/\/([^/]+)\S* at /, '$1 ').toLowerCase())
    // What nobody has heard is no look.
    if (door === 'arm' && (method === 'GET' || method === 'HEAD')) return orphaned ? undefined : this.#lookedAt(entry)
    // The marks of who is at work are no part of a failover, and are written before its first intent.
    if (!writes || /\/providers\/Microsoft\.Resources\/tags\//i.test(path)) return
    // What the dead have sent, or the living given up, was in the journal when it was sent; by now its step may be done by another try.
    if (!orphaned && !this.#isIntended(entry)) this.#say(`written without an intent in the journal: ${door} ${method} ${path}`)
    const areTwo = this.#beside.atWork() > 1
    const isMeeting = areTwo && this.#isMeeting(entry)
    const but = entry.by === this.#meetingStep ? undefined : this.#meetingStep
    if (this.#beside.atWork(but) > 1 && !isMeeting) this.#say(`two runs change the same target at once: ${door} ${method} ${path}`)
    if (door !== 'arm') return
    // It may also arrive only after the next one has looked, who cannot know of it.
    if (status === 409 && !orphaned && !isMeeting) this.#notIntoWork(entry)
    if (status >= 400) return
    if (!orphaned) this.#noteMeeting(entry, areTwo)
    this.#ownIsDeleted(method, path, status)
    if (!orphaned && !isMeeting) this.#writtenOnce(entry)
    if (this.#othersHave.isUnseen(path.toLowerCase(), lifeOf(entry))) this.#say(`somebody else had changed it, and it was written over unseen: ${method} ${path}`)
  }

  /** To be called when a program begins, or has answered. */
  hearOfProgram(moment: ProgramMoment): void {
    const { when, program, by, what, writes, life = '' } = moment
    if (when === 'answered') {
      if (!writes && hasLooked(moment)) this.#begun.note(life, (write) => write.startsWith(`${by}: `))
      return
    }
    this.#begunWithIntent.set(program, this.#beside.hasIntent(by, moment.life))
    if (!writes || repeatable.test(what)) return
    const write = `${by}: ${what}`
    if (this.#begun.isUnseen(write, life)) this.#say(`begun twice without a look in between, for ${write}`)
    this.#begun.begin(write)
  }

  /** To be called when somebody else has written to a resource. */
  hearOfOthers(path: string): void {
    this.#othersHave.begin(path.toLowerCase())
  }

  /** To be called when a write arrives that whoever sent it has given up. */
  hearOfLate(path: string): void {
    this.#arrived.add(path.toLowerCase())
  }

  /** To be called when a machine begins to import a pool. */
  imports(machine: string): void {
    this.#importing.set(machine.toLowerCase(), { atMs: this.#beside.nowMs(), askedMs: new Map(this.#askedMs) })
  }

  #isIntended({ door, by, program, life }: Access): boolean {
    if (program !== undefined) return this.#begunWithIntent.get(program) ?? false
    if (by === undefined) return this.#beside.openIntents() > 0
    // A script runs on a machine when it comes to that: whether it might was asked when Azure was sent it.
    return door === 'runCommand' || this.#beside.hasIntent(by, life)
  }

  /** What this failover has not created is not its to delete. */
  #ownIsDeleted(method: string, path: string, status: number): void {
    const id = path.toLowerCase()
    // 200 says that it was there.
    if (method === 'PUT' && status !== 200 && !this.#beside.atStart.has(id)) this.#made.add(id)
    // 204: there was nothing.
    if (method === 'DELETE' && status !== 204 && !this.#made.has(id)) this.#say(`deleted, though this failover had not made it: ${path}`)
  }

  /** A disk has one writer: at most one machine that runs, or has not stopped running yet, has it. */
  #noTwoHolders({ vms }: Glance): void {
    const holders = new Map<string, string>()
    for (const { id, powerState, dataDisks } of vms) {
      if (!running.has(powerState)) continue
      for (const disk of dataDisks) {
        const other = holders.get(disk.id.toLowerCase())
        if (other !== undefined) this.#say(`disk ${disk.id} is attached to ${other} and to ${id}, and both run`)
        holders.set(disk.id.toLowerCase(), id)
      }
    }
  }

  #noTwoImports({ pools }: Glance): void {
    for (const { name, importedOn } of pools) {
      if (importedOn.length > 1) this.#say(`pool ${name} is imported on ${importedOn.join(' and ')}`)
    }
  }

  /**
   * ZFS cannot tell who else has a pool's disks: before it is imported Azure must have been asked, for the machine and for each disk, and
   * right before. Whoever had it at the start may have it back.
   */
  #importedByProof({ pools, disks }: Glance): void {
    for (const pool of pools) {
      const before = this.#importedOn.get(pool.guid) ?? []
      this.#importedOn.set(pool.guid, [...pool.importedOn])
      const first = this.#start.pools.find(({ guid }) => guid === pool.guid)?.importedOn ?? []
      const devices = disks.filter(({ uniqueId }) => pool.disks.includes(uniqueId)).map(({ id }) => id)
      for (const machine of pool.importedOn) {
        const began = this.#importing.get(machine.toLowerCase())
        if (began === undefined || before.includes(machine) || first.includes(machine)) continue
        const unproven = [machine, ...devices].find((id) => began.atMs - (began.askedMs.get(id.toLowerCase()) ?? -Infinity) > proofMs)
        if (unproven === undefined) continue
        this.#say(`pool ${pool.name} was imported on ${machine}, and nobody had asked Azure right before where ${unproven} was`)
      }
    }
  }

  /** What was there at the start stays, by whatever way: a disk keeps its unique id when it is moved. */
  #nothingIsLost(now: Glance): void {
    const lost = (what: string, before: readonly string[], after: readonly string[]): void => {
      const left = new Set(after.map((one) => one.toLowerCase()))
      for (const one of before) if (!left.has(one.toLowerCase())) this.#say(`${what} ${one} was there at the start and is gone`)
    }
    lost('disk', this.#start.disks.map(({ uniqueId }) => uniqueId), now.disks.map(({ uniqueId }) => uniqueId))
    for (const what of ['vms', 'clusters', 'groups'] as const) lost(what.slice(0, -1), this.#start[what].map(({ id }) => id), now[what].map(({ id }) => id))
    lost('record', this.#start.recordSets.map(keyOf), now.recordSets.map(keyOf))
  }

  /** Another hub that comes to be where one was has to answer for itself. */
  #goneHasNotAnswered(): void {
    if (this.#answered.size === 0) return
    const there = new Set(this.#beside.hubs().map(({ host, address }) => `${host.toLowerCase()} ${address}`))
    for (const answered of this.#answered) if (!there.has(answered)) this.#answered.delete(answered)
  }

  /** A name that students use leads where it led at the start, or to a hub of that name that has answered before. */
  #namesLeadToHubs({ recordSets }: Glance): void {
    for (const record of recordSets) {
      const [key, value] = [keyOf(record), record.values.join(' ')]
      if (this.#records.get(key) === value) continue
      this.#records.set(key, value)
      const before = this.#start.recordSets.find((one) => keyOf(one) === key)
      if (record.type !== 'A' || before?.values.join(' ') === value) continue
      const host = `${record.name}.${record.zone}`.toLowerCase()
      if (record.values.length === 0 && this.#beside.hubs().some((hub) => hub.host.toLowerCase() === host)) this.#say(`${host} was pointed to nothing`)
      for (const address of record.values) this.#leadsToHub(host, address)
    }
  }

  #leadsToHub(host: string, address: string): void {
    const hubs = this.#beside.hubs()
    // Names that are no hub's are nobody's business here.
    if (!hubs.some((hub) => hub.host.toLowerCase() === host)) return
    const isThere = hubs.some((hub) => hub.host.toLowerCase() === host && hub.address === address)
    if (!isThere) this.#say(`${host} was pointed to ${address}, where no hub of that name is`)
    // It may have fallen silent since: nobody can write a record in the very moment of an answer.
    else if (!this.#answered.has(`${host} ${address}`)) this.#say(`${host} was pointed to ${address}, which had answered nobody before`)
  }

  #lookedAt(entry: Access): void {
    const { path, status } = entry
    const seen = path.toLowerCase()
    if (status < 400) this.#askedMs.set(seen, this.#beside.nowMs())
    // An answer that is none is no look.
    else if (status !== 404) return
    const life = lifeOf(entry)
    this.#othersHave.note(life, (other) => other === seen)
    for (const arrived of this.#arrived) if (isAbout(arrived, seen)) this.#arrived.delete(arrived)
    this.#written.note(life, (write) => isAbout(write.slice(write.indexOf(' ') + 1), seen))
  }

  /** Nothing is written twice without a look at what the first time has made of it. */
  #writtenOnce(entry: Access): void {
    const { method, path } = entry
    const write = `${method} ${path.toLowerCase()}`
    // What only looks is sent by POST too.
    if (method === 'POST' && !acting.test(path)) return
    if (this.#written.isUnseen(write, lifeOf(entry))) this.#say(`written twice without a look in between: ${method} ${path}`)
    this.#written.begin(write)
  }

  /** Each of two that begin at the same moment may make it once: it has no etag, and is one group in the end. */
  #isMeeting({ method, path }: Access): boolean {
    return method === 'PUT' && this.#isNewGroup(path) && !this.#haveMet && path.toLowerCase() === (this.#meeting ?? path.toLowerCase())
  }

  #noteMeeting({ method, path, by }: Access, areTwo: boolean): void {
    if (method !== 'PUT' || !this.#isNewGroup(path)) return
    if (areTwo && path.toLowerCase() === this.#meeting) this.#haveMet = true
    if (this.#meeting === undefined) this.#meetingStep = by
    this.#meeting ??= path.toLowerCase()
  }

  #isNewGroup(path: string): boolean {
    return groupPath.test(path) && !this.#beside.atStart.has(path.toLowerCase())
  }

  /** Whoever writes to what an operation has in hand has not seen it, or has begun two things at once that collide. */
  #notIntoWork(entry: Access): void {
    const { method, path } = entry
    // That only looks, and is told so where it cannot.
    if (/\/validateMoveResources$/i.test(path)) return
    type Running = ReturnType<Beside['operations']>[number]
    const has = ({ resource, also = [] }: Running, at: string): boolean =>
      [resource, ...also].some((one) => `${at.toLowerCase()}/`.startsWith(`${one.toLowerCase()}/`))
    const busy = this.#beside.operations().find((one) => one.status === 'running' && has(one, path))
    // Where one that was given up may have begun it since the last look, nobody could have seen it.
    if (busy === undefined || [...this.#arrived].some((arrived) => has(busy, arrived))) return
    this.#say(`written to while ${busy.what} was at work on it: ${method} ${path}`)
  }

  #say(violation: string): void {
    if (this.#seen.has(violation)) return
    this.#seen.add(violation)
    this.violations.push(violation)
  }
}

function lifeOf({ life = '' }: Access): string {
  return life
}

/** helm and kubectl say nothing of a release or an object where they fail, but for that it is not there; over ssh any end is an answer. */
function hasLooked({ what, end }: ProgramMoment): boolean {
  if (looksAtNothing.test(what)) return false
  return !/^(helm|kubectl)\b/.test(what) || end?.exitCode === 0 || /not ?found/i.test(end?.stderr ?? '')
}

/** What asks neither a cluster nor a machine. */
const looksAtNothing = /^(helm (template|version|lint|show|env)|kubectl version|ssh -V)\b/

function keyOf({ zone, name, type }: Pick<WorldView['recordSets'][number], 'zone' | 'name' | 'type'>): string {
  return `${name}.${zone} ${type}`.toLowerCase()
}

/** What a machine that has a disk may still write in. */
const running: ReadonlySet<string> = new Set(['running', 'starting', 'stopping', 'deallocating'])

/** What may be begun twice, unseen: it only looks, behind a host's lock. */
const repeatable = / flock -w \d+ \S+ zfs list [^;&|]*$/

/** What changes something by POST. */
const acting = /\/(moveResources|deallocate|start|powerOff|restart|attachDetachDataDisks)$/i

/** Is a read about what a write to that path changes? A move is seen by where the disks of its group are, an action by its resource. */
function isAbout(path: string, read: string): boolean {
  if (path === read || (acting.test(path) && path.slice(0, path.lastIndexOf('/')) === read)) return true
  return path.endsWith('/moveresources') && /\/(disks|resources)(\/|$)/.test(read)
}
