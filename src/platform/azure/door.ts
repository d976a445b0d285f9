import type { Json, JsonObject, Secret } from '../../contract/index.js'
import type { HostFacts } from '../ssh/config.js'
import type { ActivityDoor } from './activity-door.js'
import type { AddressDoor, CapacityDoor, GovernanceDoor, RightsDoor } from './readiness-door.js'
import type { RoleDoor } from './roles-door.js'

export type { Content, Denial, MachineSize, Usage } from './readiness-door.js'

/**
 * What the steps need of Azure Resource Manager. Reads answer `undefined` for what does not exist (404) and throw for
 * everything else, so that a failed read can never be taken for an absence. Writes return once Azure has *accepted*
 * them and `done` resolves (or rejects with the operation's error) when the operation has ended; whoever lets go of
 * `done` finds the outcome by reading the resource.
 */
export interface AzureDoor {
  readonly groups: GroupDoor
  readonly resources: ResourceDoor
  readonly clusters: ClusterDoor
  readonly machines: MachineDoor
  readonly disks: DiskDoor
  readonly snapshots: SnapshotDoor
  readonly zones: ZoneDoor
  readonly rights: RightsDoor
  readonly roles: RoleDoor
  readonly activity: ActivityDoor
  readonly capacity: CapacityDoor
  readonly governance: GovernanceDoor
  readonly addresses: AddressDoor
  /** The moment at which the resource manager answers, by its own clock: real time, to a second. */
  serverTime(): Promise<Date>
}

export interface Operation {
  readonly done: Promise<void>
}

export interface Group {
  readonly id: string
  readonly name: string
  readonly location: string
  readonly provisioningState: string
  readonly tags: Readonly<Record<string, string>>
}

export interface ManagementLock {
  readonly id: string
  /** Id of what it is set on: subscription, group or resource. */
  readonly scope: string
  /** CanNotDelete, ReadOnly. */
  readonly level: string
}

export interface GroupDoor {
  /** Of a group of this name, there or not: what would be in it can be asked for without asking for the group. */
  idOf(name: string): string
  get(name: string): Promise<Group | undefined>
  /**
   * One that is there already is left as it is: a PUT of it would drop its tags. `put-over`: somebody else made it between the look and the
   * PUT, and has lost what tags it had.
   */
  create(name: string, location: string): Promise<'made' | 'there' | 'put-over'>
  /** Adds tags and keeps the others. Throws `azure.locked` while a move or a management lock holds the group. */
  tag(name: string, tags: Readonly<Record<string, string>>): Promise<void>
  delete(name: string): Promise<Operation>
  /** Resource ids in a group; undefined if the group is absent. Lists are behind, either way. */
  list(name: string): Promise<readonly string[] | undefined>
  /** Ids of the disks, snapshots and machines in a group as those who provide them list them, which is not behind. */
  holds(name: string): Promise<readonly string[]>
  /**
   * Management locks that hold for a group, there or yet to be made: its own, the subscription's, and those on what is in it.
   * Without a name only the subscription's. A move's own lock is not among them.
   */
  locks(name: string | undefined): Promise<readonly ManagementLock[]>
  /** `moveResources`: accepted means both groups are locked. While another move goes on it is refused as `azure.locked`. */
  move(from: string, to: string, ids: readonly string[]): Promise<Operation>
  /** Resolves when Azure has looked and agrees; changes nothing. */
  validateMove(from: string, to: string, ids: readonly string[]): Promise<void>
}

/** Anything with an id: networks, interfaces, security groups. `properties` as on the wire. */
export interface Resource {
  readonly id: string
  readonly location: string
  readonly properties: JsonObject
  readonly sku?: Json
  /** As read; what is written without them gets those of the run: give them back when something of others is changed. */
  readonly tags?: Readonly<Record<string, string>>
  /** As read. Given back, it is written only if nobody has changed it since. */
  readonly etag?: string
}

export interface ResourceDoor {
  get(id: string): Promise<Resource | undefined>
  /** Is it there, as its own address tells and not a list? True also of a type that this tool cannot ask for. */
  exists(id: string): Promise<boolean>
  /** With `etag`: If-Match, and 412 is `azure.etag`, to be tried again from a new look. Without: whatever is there by then. */
  put(resource: Resource): Promise<Operation>
  delete(id: string): Promise<Operation>
}

/** A managed cluster as on the wire, without what is read-only. */
export interface ClusterDefinition {
  readonly location: string
  readonly kubernetesVersion: string
  readonly dnsPrefix: string
  readonly nodeResourceGroup?: string
  /** Id of the user-assigned identity that it acts as; without, it is given one of its own. */
  readonly identity?: string
  readonly agentPools: readonly AgentPool[]
  readonly networkProfile?: JsonObject
  readonly sku?: JsonObject
  readonly tags?: Readonly<Record<string, string>>
  /** All other settings, as the SDK names them; in what was read, Azure's own are among them. */
  readonly rest?: JsonObject
}

export interface AgentPool {
  readonly name: string
  readonly mode: string
  readonly count: number
  readonly vmSize: string
  readonly zones?: readonly string[]
  readonly subnet?: string
  readonly osDiskSizeGB?: number
  readonly maxPods?: number
  readonly labels?: Readonly<Record<string, string>>
  /** `key=value:NoSchedule` */
  readonly taints?: readonly string[]
  readonly minCount?: number
  readonly maxCount?: number
  /** As of the cluster. */
  readonly rest?: JsonObject
}

export interface Cluster extends ClusterDefinition {
  readonly id: string
  /** Succeeded, Creating, Updating, Failed, Canceled, Deleting. */
  readonly provisioningState: string
  /** Running, Stopped; undefined if Azure does not say. */
  readonly powerState?: string
  readonly fqdn?: string
  readonly createdAt?: Date
}

export interface ClusterDoor {
  get(id: string): Promise<Cluster | undefined>
  create(id: string, definition: ClusterDefinition): Promise<Operation>
  delete(id: string): Promise<Operation>
  /** A kubeconfig for its users (listClusterUserCredential). */
  credentials(id: string): Promise<Secret>
}

export interface DataDisk {
  readonly id: string
  readonly lun: number
  readonly caching?: string
  /** The machine is letting go of it. */
  readonly leaving?: boolean
}

export interface Machine {
  readonly id: string
  /** Azure's own unique id; another machine of the same name has another. */
  readonly vmId: string
  readonly location: string
  readonly zones: readonly string[]
  readonly size: string
  readonly provisioningState: string
  /** running, deallocated, deallocating, starting, stopped; undefined if Azure does not say. */
  readonly powerState?: string
  readonly interfaces: readonly string[]
  readonly dataDisks: readonly DataDisk[]
}

export interface MachineDefinition {
  readonly location: string
  readonly zones?: readonly string[]
  readonly size: string
  readonly image: JsonObject
  readonly adminUser: string
  /** `ssh-ed25519 AAAA…` */
  readonly publicKey: string
  readonly cloudInit: string
  readonly interfaces: readonly string[]
}

export interface MachineDoor {
  get(id: string): Promise<Machine | undefined>
  create(id: string, definition: MachineDefinition): Promise<Operation>
  delete(id: string): Promise<Operation>
  attach(id: string, disks: readonly DataDisk[]): Promise<Operation>
  /** `force` takes them although the machine does not let go (ForceDetach): what it has not flushed is lost. */
  detach(id: string, diskIds: readonly string[], force?: boolean): Promise<Operation>
  deallocate(id: string): Promise<Operation>
  start(id: string): Promise<Operation>
  /** What SSH must know of a machine: where it is, and which host keys it has. */
  hostFacts(id: string): Promise<HostFacts>
}

export interface Disk {
  readonly id: string
  readonly uniqueId: string
  readonly location: string
  readonly zones: readonly string[]
  readonly sizeGB: number
  /** Unattached, Attached, Reserved, … */
  readonly state: string
  /** Premium_LRS, StandardSSD_ZRS, … */
  readonly sku: string
  /** Encrypted inside the machine, with a key in a key vault (Azure Disk Encryption). */
  readonly keyVaultEncrypted: boolean
  /** Id of the machine that holds it. */
  readonly managedBy?: string
  /** Ids of machines that hold a disk which may be shared (maxShares). */
  readonly sharedBy?: readonly string[]
}

export interface DiskDoor {
  get(id: string): Promise<Disk | undefined>
}

export interface Snapshot {
  readonly id: string
  /** Creating, Succeeded, Failed, … */
  readonly provisioningState: string
  /** When it was begun: what was on the disk then is in it. */
  readonly createdAt: Date
  /** `uniqueId` of the disk that it is of. */
  readonly of: string
}

export interface SnapshotDoor {
  get(id: string): Promise<Snapshot | undefined>
  /** An incremental one, of a disk of the same region. */
  create(id: string, disk: Pick<Disk, 'id' | 'location'>): Promise<Operation>
  delete(id: string): Promise<Operation>
}

export interface RecordSet {
  readonly zone: string
  readonly name: string
  readonly type: string
  readonly ttlSeconds: number
  readonly values: readonly string[]
  readonly etag: string
  /** What is written without gets the run's tags; give back what was read. */
  readonly metadata?: Readonly<Record<string, string>>
  /** Id of the resource that an alias record follows; it has no values of its own then. */
  readonly target?: string
}

export interface ZoneDoor {
  /** Names of the zone's own name servers, as they were a minute ago at most; undefined if there is no such zone. */
  nameServers(zoneId: string): Promise<readonly string[] | undefined>
  getRecord(zoneId: string, name: string, type: 'A' | 'CNAME' | 'TXT'): Promise<RecordSet | undefined>
  /** With `etag`: If-Match; without: only if there is none yet (If-None-Match: *). 412 is `azure.etag`. */
  putRecord(zoneId: string, record: Omit<RecordSet, 'zone' | 'etag' | 'target'>, etag?: string): Promise<void>
  /** Sets the TTL and nothing else, if the record set is still the one with this etag. 412 is `azure.etag`. */
  setTtl(zoneId: string, name: string, type: 'A' | 'CNAME' | 'TXT', ttlSeconds: number, etag: string): Promise<void>
  deleteRecord(zoneId: string, name: string, type: 'A' | 'CNAME' | 'TXT', etag: string): Promise<void>
}
