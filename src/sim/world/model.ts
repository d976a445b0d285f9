/** The state of a simulated world. Plain data, mutable only through the rooms of `sim`. Ids keep the spelling they were made with. */

export interface Group {
  readonly id: string
  readonly name: string
  readonly location: string
  tags: Record<string, string>
  managedBy?: string
  provisioningState: string
  /** Ids of the move operations that lock this group for writes and deletes. */
  locks: Set<string>
}

/** Any resource below a group, in the shape Azure Resource Manager gives it. */
export interface Resource {
  id: string
  readonly name: string
  /** `Microsoft.Compute/virtualMachines` */
  readonly type: string
  location: string
  tags: Record<string, string>
  zones?: string[]
  sku?: Record<string, unknown>
  identity?: Record<string, unknown>
  managedBy?: string
  /** When it was made: `createdAt`. */
  systemData?: Record<string, unknown>
  etag?: string
  /** As on the wire, `provisioningState` included. */
  properties: Record<string, unknown>
}

/** The operating system inside a virtual machine; keyed by the machine's id. */
export interface Host {
  readonly machine: string
  /** What the platform says of the machine; a host answers only while it is running. */
  power: 'running' | 'starting' | 'stopping' | 'stopped' | 'deallocating' | 'deallocated'
  /** Id of the virtual network, and the private address in it. */
  readonly network: string
  readonly address: string
  /** World time from which SSH answers. */
  sshFromMs: number
  /** World time from which cloud-init is done: packages there, ZFS module loaded. */
  readyFromMs: number
  /** World time until which cloud-init is at work after the machine was made. */
  cloudInitUntilMs: number
  /** What it failed at, as it tells itself; it forgets that when the machine is started again. */
  cloudInitError?: string
  /** False for a host that does not answer though its machine runs (a planted fault, or a dead kernel). */
  answers: boolean
  readonly hostId: string
  readonly hostKey: { readonly private: string; readonly public: string }
  readonly user: string
  authorizedKeys: string[]
  services: { nfs: boolean }
  /** `exportfs` table: path -> clients with options. */
  exports: { path: string; clients: string; options: string }[]
  files: Map<string, string>
  /** Commands still running, which outlive the client that started them. */
  running: Map<number, { readonly command: string; readonly untilMs: number }>
  /** The host's own locks (flock), by the names of their files. */
  locks: Map<string, HostLock>
}

export interface HostLock {
  /** By one alone. */
  held: boolean
  /** How many hold it beside each other. */
  sharers: number
  /** In the order in which they came. */
  waiting: { readonly shared: boolean; readonly goOn: () => void }[]
}

export interface Dataset {
  readonly name: string
  mountpoint: string
  readonly usedBytes: number
  properties: Record<string, string>
  mounted: boolean
}

export interface Pool {
  readonly guid: string
  readonly name: string
  /** `uniqueId` of each disk: a disk keeps it when it moves. */
  readonly disks: readonly string[]
  readonly layout: 'mirror' | 'stripe'
  readonly sizeBytes: number
  readonly allocatedBytes: number
  health: 'ONLINE' | 'DEGRADED' | 'FAULTED'
  datasets: Dataset[]
  /** Features of ZFS that it uses: a host that does not know one of them cannot import it. */
  features: readonly string[]
  /** Machine ids: more than one is the catastrophe that the world must see. */
  importedOn: string[]
  /** False while imported, and after a host vanished without an export. */
  exported: boolean
  /** Imported with `-o readonly=on`. */
  readOnly?: boolean
  /** `hostid` of the host that imported it last. */
  lastHostId?: string
  /** By `uniqueId`, disks that the last import did not see: on them stands what stood there before. */
  behind?: ReadonlyMap<string, { readonly hostId?: string; readonly exported: boolean }>
  /** Its last state cannot be read. `seconds` of writes are between that and one that can be, if there is one. */
  damage?: { readonly seconds?: number }
  /** Seconds of writes that somebody has thrown away (`-F`). */
  lostSeconds?: number
}

export interface DnsRecordSet {
  readonly zone: string
  readonly name: string
  readonly type: string
  ttl: number
  values: string[]
  etag: string
  metadata: Record<string, string>
}

/** A record set as the zone's name servers answer it; follows the control plane after a delay. */
export interface PublishedRecord {
  ttl: number
  values: string[]
}

/** What is wrong with a name server of a zone. */
export interface LostNameServer {
  /** By key, what it goes on telling whatever is changed; absent: it answers nobody. */
  readonly tells?: ReadonlyMap<string, PublishedRecord>
  /** Told a question that it left unanswered, or answered otherwise than it should. */
  readonly met?: (question: string) => void
}

export interface Operation {
  readonly id: string
  /** `cluster create`, `move`, `attach`, `zpool import`, `helm`, … */
  readonly what: string
  readonly resource: string
  /** Other resources that it changes: the disks of a move, of an attach. */
  readonly also?: readonly string[]
  /** True while Azure refuses other writes to the same resource because of it. */
  exclusive?: boolean
  readonly startedAtMs: number
  durationMs: number
  status: 'running' | 'succeeded' | 'failed' | 'canceled'
  /** What the activity log tells meanwhile of why it does not come to its end; a planted fault. */
  because?: { readonly code: string; readonly message: string }
  error?: { code: string; message: string; status: number; details?: readonly { code: string; target?: string; message: string }[] }
}

export interface RequestEntry {
  readonly t: string
  readonly door: 'arm' | 'token' | 'kube' | 'ssh' | 'runCommand' | 'dns' | 'http' | 'proxy'
  readonly method: string
  readonly path: string
  readonly status: number
  /** The world's own judgement: would this change anything? */
  readonly writes: boolean
  /**
   * Whoever sent it was dead before it was done, or had given it up; of what only looks, they have not heard the answer. Known in this
   * process only.
   */
  readonly orphaned?: true
  /** What it was sent for, as whoever sent it says. Known in this process only. */
  readonly by?: string
  /** The program that has sent it, as `ProgramMoment` names it. Known in this process only. */
  readonly program?: string
  /** The life of the tool that has sent it. Known in this process only. */
  readonly life?: string
}

/** A program of whoever runs the tool begins to work, or has ended by itself with an answer. Known where it is a model in this process. */
export interface ProgramMoment {
  readonly when: 'begins' | 'answered'
  /** One of its own for each time that it is run. */
  readonly program: string
  /** What it was started for, as whoever started it says. */
  readonly by: string
  /** Its command. */
  readonly what: string
  /** Was it started to change something? */
  readonly writes: boolean
  /** The life of the tool that has started it. */
  readonly life?: string
  /** How it ended, once it has answered. */
  readonly end?: { readonly exitCode: number; readonly stderr: string }
}

export interface HubState {
  readonly host: string
  readonly address: string
  readonly answers: boolean
  readonly certificate: string
}

/** A helm release as the Kubernetes API of a cluster keeps it. */
export interface ReleaseState {
  /** Resource id of the cluster. */
  readonly cluster: string
  readonly namespace: string
  readonly name: string
  readonly revision: number
  readonly status: string
}
