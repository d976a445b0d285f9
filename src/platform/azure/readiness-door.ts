import type { JsonObject } from '../../contract/index.js'

/** Reads by which a plan tells, before anything is changed, what Azure would refuse. */
export interface RightsDoor {
  /**
   * Which of these actions (`Microsoft.Network/virtualNetworks/write`) the credential has no role for at a scope: the name
   * of a resource group, or the id of a resource. For what does not exist, and without a scope, the subscription is asked.
   */
  missing(scope: string | undefined, actions: readonly string[]): Promise<readonly string[]>
}

/** A size of virtual machines as the subscription may have it in one location. */
export interface MachineSize {
  readonly name: string
  /** As usages name it: `standardESv3Family`. */
  readonly family: string
  readonly vCpus: number
  readonly maxDataDisks: number
  /** Does it take premium disks? */
  readonly premium: boolean
  /** Zones in which this subscription may have it; empty where the location has none. */
  readonly zones: readonly string[]
  /** Why this subscription may not have it anywhere in the location: `NotAvailableForSubscription`. */
  readonly restricted?: string
}

export interface Usage {
  readonly used: number
  readonly limit: number
}

export interface CapacityDoor {
  /** The size of this name; undefined if the location does not have it. */
  size(location: string, name: string): Promise<MachineSize | undefined>
  /** vCPUs of a family, or of the whole location under `cores`; undefined if Azure does not count it. */
  usage(location: string, stock: string): Promise<Usage | undefined>
  /** Public addresses of the SKU Standard in the location; undefined if Azure does not count them. */
  publicAddresses(location: string): Promise<Usage | undefined>
  /** Kubernetes versions that new clusters may have, with their patches: `1.33.2`. */
  kubernetesVersions(location: string): Promise<readonly string[]>
}

/** What is about to be put, as far as it is known; the run's tags are added to it. */
export interface Content {
  readonly type: string
  readonly name?: string
  readonly location?: string
  readonly zones?: readonly string[]
  readonly properties?: JsonObject
}

export interface Denial {
  /** Id of the assignment. */
  readonly policy: string
  /** What it looked at and found wanting, as far as Azure tells: `location`. */
  readonly why: readonly string[]
}

export interface GovernanceDoor {
  /** `Registered`, `Registering`, `NotRegistered`, …; undefined for a namespace that Azure does not know. */
  registration(namespace: string): Promise<string | undefined>
  /**
   * Policies that would deny this in a resource group; for one that does not exist, and without one, those of the subscription.
   * Undefined where Azure refuses the question itself: no right to ask it, or its provider is not registered.
   */
  denials(group: string | undefined, content: Content): Promise<readonly Denial[] | undefined>
}

export interface AddressDoor {
  /**
   * May a new interface in the network have this private address? If not, some that it may have. Throws for an address that
   * lies in none of the network's subnets.
   */
  availability(networkId: string, address: string): Promise<{ readonly free: boolean; readonly others: readonly string[] }>
}
