import type { WorldClock } from './clock.js'
import { Hindrances } from './hindrances.js'
import { sameId } from './ids.js'
import { seededUuid, type MakeSshKey, type SshKeyPair } from './keys.js'
import type {
  DnsRecordSet,
  Group,
  Host,
  HubState,
  LostNameServer,
  Operation,
  Pool,
  PublishedRecord,
  ProgramMoment,
  ReleaseState,
  RequestEntry,
  Resource,
} from './model.js'
import type { RealMachines } from './real.js'
import { makeSecret } from './secrets.js'
import { basicShell, type Shell } from './shell.js'
import type { WorldSpec } from './spec.js'

/** What has come to a door and is not looked at yet. */
export type Arrival = Pick<RequestEntry, 'door' | 'method' | 'path'>

/** One simulated world: its state, its clock, and what it has seen. Ids are looked up without regard to case, as Azure does. */
export class World {
  readonly groups = new Map<string, Group>()
  readonly resources = new Map<string, Resource>()
  readonly hosts = new Map<string, Host>()
  readonly pools: Pool[] = []
  readonly recordSets: DnsRecordSet[] = []
  /** `zone/name/type` in lower case -> what all of the zone's name servers answer now, the slowest too. */
  readonly published = new Map<string, PublishedRecord>()
  /** By the same key: what the quicker name servers answer already; undefined where they know of its deletion. */
  readonly publishedAhead = new Map<string, PublishedRecord | undefined>()
  /** By name, in lower case: name servers that are silent, or that stay behind. */
  readonly lostNameServers = new Map<string, LostNameServer>()
  /** By `NAMESPACE/WORKLOAD`: pods that are not getting ready. `met`: called when one of them should be. */
  readonly podTroubles = new Map<string, { readonly is: 'crashing' | 'without-image'; readonly met?: () => void }>()
  readonly hindrances = new Hindrances()
  readonly operations: Operation[] = []
  /** What must never happen and did. Only ever grows. */
  readonly violations: string[] = []
  readonly requests: RequestEntry[] = []
  /** Called after every change of state; Kubernetes pods waiting for a mount look again. */
  readonly onChange = new Set<() => void>()
  /** Called with every entry of the access log. */
  readonly onRequest = new Set<(entry: RequestEntry) => void>()
  /** Told of the programs of whoever runs the tool, where they are models in this process. */
  readonly onProgram = new Set<(moment: ProgramMoment) => void>()
  /** Called with every command over SSH and every request to a cluster as it arrives, before anything of it is done. */
  readonly onArrival = new Set<(arrival: Arrival) => void>()
  /** Called when a managed cluster has become ready, and when one is gone. */
  readonly onClusterReady = new Set<(cluster: Resource) => void>()
  readonly onClusterGone = new Set<(cluster: Resource) => void>()
  /** Key pairs of `env` values that are SSH keys, by the value's name. */
  readonly keys = new Map<string, SshKeyPair>()
  /** `name:port` or `address:port` as clients know it -> port on loopback where the world serves it. The proxy reads it. */
  readonly routes = new Map<string, number>()
  /** How often each disk was moved, by `uniqueId`. */
  readonly moves = new Map<string, number>()
  /** Snapshots (ids in lower case) of a disk whose pool was imported when they were begun. */
  readonly torn = new Set<string>()
  /** What other rooms know of the state; each puts its own function here. */
  readonly sources: { releases: () => ReleaseState[]; hubs: () => HubState[] } = { releases: () => [], hubs: () => [] }
  /** Runs a script on a machine (`runCommand`); the SSH room replaces it. */
  shell: Shell = basicShell((machine) => this.host(machine))
  /** The lab's machines; without them hosts are simulated. */
  real: RealMachines | undefined
  /** May change an operation that begins: a planted fault. */
  readonly tamper = new Set<(operation: Operation) => WorldError | undefined>()
  /** Asked when a command begins over SSH: how many milliseconds after its input its connection breaks, its answer lost. */
  sshBreaks: () => number | undefined = () => undefined
  /** False while the starting state is put in place. */
  started = false
  /** Whether the subscription is as it should be; a disabled one only reads. */
  subscriptionState: 'Enabled' | 'Disabled' = 'Enabled'
  readonly #madeAtMs = new WeakMap<Resource, number>()
  readonly #gone = new Map<Resource, number>()
  #operationCount = 0
  #uniqueCount = 0
  #addressCount = 0
  readonly #clusterTokens = new Map<string, string>()

  constructor(
    readonly spec: WorldSpec,
    readonly clock: WorldClock,
    readonly makeKey: MakeSshKey,
  ) {}

  group(name: string): Group | undefined {
    return this.groups.get(name.toLowerCase())
  }

  resource(id: string): Resource | undefined {
    return this.resources.get(id.toLowerCase())
  }

  /** Do lists of a group's resources show it already? They are a while behind what is made. */
  isListed(resource: Resource): boolean {
    return this.ageMs(resource) >= this.durationOf('list lag')
  }

  /** What lists still show although it is gone: they are a while behind what is deleted, too. */
  lingering(): Resource[] {
    return [...this.#gone].filter(([, atMs]) => this.clock.nowMs() - atMs < this.durationOf('list lag')).map(([resource]) => resource)
  }

  /** Milliseconds since a resource was made; for ever for those that the world began with. */
  ageMs(resource: Resource): number {
    const madeAtMs = this.#madeAtMs.get(resource)
    return madeAtMs === undefined ? Infinity : this.clock.nowMs() - madeAtMs
  }

  /** Every resource of one type, `Microsoft.Compute/disks`. */
  ofType(type: string): Resource[] {
    const wanted = type.toLowerCase()
    const found: Resource[] = []
    for (const one of this.resources.values()) if (one.type === type || one.type.toLowerCase() === wanted) found.push(one)
    return found
  }

  put(resource: Resource): void {
    if (this.started && !this.resource(resource.id)) this.#madeAtMs.set(resource, this.clock.nowMs())
    this.resources.set(resource.id.toLowerCase(), resource)
    this.changed()
  }

  remove(id: string): void {
    const gone = this.resource(id)
    if (gone !== undefined) this.#gone.set(gone, this.clock.nowMs())
    this.resources.delete(id.toLowerCase())
    this.hosts.delete(id.toLowerCase())
    this.changed()
  }

  host(machine: string): Host | undefined {
    return this.hosts.get(machine.toLowerCase())
  }

  /** Does the machine's operating system answer now (SSH, runCommand)? */
  answers(machine: string): boolean {
    const host = this.host(machine)
    return host !== undefined && host.answers && host.power === 'running' && this.clock.nowMs() >= host.sshFromMs
  }

  /** The same for somebody who wants something of it: one that was silenced has met them. */
  answersTo(machine: string, whom: string): boolean {
    const host = this.host(machine)
    if (host !== undefined && !host.answers && host.power === 'running') this.hindrances.meets('silence', host.machine, whom)
    return this.answers(machine)
  }

  /** A UUID that no other call gives; the same in every world that does the same. */
  unique(seed: string): string {
    this.#uniqueCount += 1
    return seededUuid(`${seed} ${this.#uniqueCount}`)
  }

  /** The next public address that nobody has: load balancers and public addresses take them in turn. */
  nextAddress(): string {
    const parts = this.spec.addresses.first.split('.').map(Number)
    const value = parts.reduce((sum, part) => sum * 256 + part, 0) + this.#addressCount
    this.#addressCount += 1
    return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')
  }

  /** Bearer token of a managed cluster's own API; made when it is first asked for. */
  clusterToken(clusterId: string): string {
    const key = clusterId.toLowerCase()
    const token = this.#clusterTokens.get(key) ?? makeSecret(24)
    this.#clusterTokens.set(key, token)
    return token
  }

  /** How long an operation takes here, in milliseconds of the world: the world file's `durations`, or five seconds. */
  durationOf(what: string): number {
    return this.spec.durations[what] ?? 5000
  }

  /** The machine to which a disk is attached, if any. */
  holderOf(diskId: string): Resource | undefined {
    const wanted = diskId.toLowerCase()
    return this.ofType('Microsoft.Compute/virtualMachines').find((machine) =>
      dataDisksOf(machine).some((disk) => disk.managedDisk.id.toLowerCase() === wanted),
    )
  }

  /** The same for something whose caller waits: resolves when it is over, rejects with what `finish` throws. */
  async take(what: string, resource: string, durationMs: number, finish: () => void): Promise<void> {
    const operation = await new Promise<Operation>((resolve) => {
      const begun: Operation = this.begin(what, resource, durationMs, () => {
        finish()
        queueMicrotask(() => resolve(begun))
      }, () => resolve(begun))
    })
    if (operation.error) throw new WorldError(operation.error.status, operation.error.code, operation.error.message)
  }

  /**
   * Starts something that takes time; `finish` runs when it is over and may throw a WorldError, which fails the operation;
   * `failed` then cleans up. Duration is in milliseconds of the world. `also` names further resources that it changes.
   */
  begin(
    what: string,
    resource: string,
    durationMs: number,
    finish: (operation: Operation) => void,
    failed: () => void = () => undefined,
    also: readonly string[] = [],
  ): Operation {
    this.#operationCount += 1
    const operation: Operation = {
      id: `op-${String(this.#operationCount).padStart(5, '0')}`,
      what,
      resource,
      ...(also.length > 0 ? { also } : {}),
      startedAtMs: this.clock.nowMs(),
      durationMs,
      status: 'running',
    }
    const faults = [...this.tamper].flatMap((change) => change(operation) ?? [])
    this.operations.push(operation)
    this.clock.schedule(operation.durationMs, () => this.#end(operation, finish, failed, faults[0]))
    return operation
  }

  #end(
    operation: Operation,
    finish: (operation: Operation) => void,
    failed: () => void,
    fault: WorldError | undefined,
  ): void {
    if (operation.status !== 'running') return
    try {
      if (fault) throw fault
      // Not running any more as it ends: one that takes its resource away does not cancel itself.
      operation.status = 'succeeded'
      finish(operation)
    } catch (error) {
      if (!(error instanceof WorldError)) throw error
      operation.status = 'failed'
      const { code, message, status, details } = error
      operation.error = { code, message, status, ...(details ? { details } : {}) }
      failed()
    }
    this.changed()
  }

  /**
   * Ends what goes on at a resource that is no more: nothing of it happens to what is made of the same name later (A132). A second
   * deletion has what it wanted. What no client polls ends in its own time: whoever waits for it waits for its end, and it looks itself
   * whether there is still something to do.
   */
  endOperationsOn(id: string): void {
    for (const operation of this.operations) {
      const isPolled = operation.exclusive !== undefined
      if (operation.status !== 'running' || !isPolled || !sameId(operation.resource, id)) continue
      operation.status = operation.what.endsWith('delete') ? 'succeeded' : 'canceled'
    }
  }

  /** Records what must never happen. */
  violation(text: string): void {
    this.violations.push(text)
  }

  changed(): void {
    for (const listener of this.onChange) listener()
  }

  arrived(arrival: Arrival): void {
    for (const listener of this.onArrival) listener(arrival)
  }

  log(entry: Omit<RequestEntry, 't'>): void {
    const stamped = { t: new Date(this.clock.nowMs()).toISOString(), ...entry }
    this.requests.push(stamped)
    for (const listener of this.onRequest) listener(stamped)
  }
}

/** A refusal of the world, in Azure's own terms. */
export class WorldError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details?: readonly { code: string; target?: string; message: string }[],
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message)
  }
}

export interface DataDiskEntry {
  lun: number
  name: string
  createOption: string
  caching?: string
  managedDisk: { id: string }
}

/** The data disks in a machine's storage profile, as they stand there. */
export function dataDisksOf(machine: Resource): DataDiskEntry[] {
  const profile = machine.properties['storageProfile'] as { dataDisks?: DataDiskEntry[] } | undefined
  return profile?.dataDisks ?? []
}
