/**
 * What a world tells of itself (`GET <control>/state`), as far as it is judged. Written down here and not taken from the world: what is
 * judged does not say what the judge reads.
 */
export interface WorldView {
  readonly t: string
  readonly clusters: readonly { readonly id: string; readonly provisioningState: string }[]
  readonly vms: readonly {
    readonly id: string
    readonly powerState: string
    readonly provisioningState: string
    readonly dataDisks: readonly { readonly id: string; readonly lun: number }[]
  }[]
  readonly disks: readonly {
    readonly id: string
    readonly uniqueId: string
    readonly diskState: string
    readonly managedBy: string | null
    readonly moves: number
  }[]
  readonly snapshots: readonly { readonly id: string; readonly of: string; readonly torn: boolean }[]
  readonly groups: readonly { readonly id: string; readonly tags: Readonly<Record<string, string>>; readonly locked: boolean }[]
  readonly recordSets: readonly {
    readonly zone: string
    readonly name: string
    readonly type: string
    readonly ttl: number
    readonly values: readonly string[]
    readonly published: { readonly ttl: number; readonly values: readonly string[] } | null
  }[]
  /** Everything that has an id, but for groups and record sets. */
  readonly resources: readonly { readonly id: string; readonly type: string }[]
  readonly releases: readonly {
    readonly cluster: string
    readonly namespace: string
    readonly name: string
    readonly revision: number
    readonly status: string
  }[]
  readonly pools: readonly {
    readonly guid: string
    readonly name: string
    /** Unique ids. */
    readonly disks: readonly string[]
    readonly health: string
    readonly exported: boolean
    readonly importedOn: readonly string[]
  }[]
  readonly hosts: readonly {
    readonly machine: string
    readonly answers: boolean
    readonly nfs: boolean
    readonly exports: readonly { readonly path: string; readonly clients: string }[]
  }[]
  readonly hubs: readonly { readonly host: string; readonly address: string; readonly answers: boolean; readonly certificate: string }[]
  readonly operations: readonly {
    readonly what: string
    readonly resource: string
    /** Further resources that it changes. */
    readonly also?: readonly string[]
    readonly status: string
  }[]
  readonly violations: readonly string[]
}

/** One entry of a world's access log (`GET <control>/requests`). */
export interface Access {
  readonly door: string
  readonly method: string
  readonly path: string
  readonly status: number
  /** The world's own judgement: would this change anything? */
  readonly writes: boolean
  /** Whoever sent it was dead before it was done, or had given it up; of what only looks, they have not heard the answer. */
  readonly orphaned?: true
  /** The step that it was sent for, where that is known. */
  readonly by?: string
  /** The program that has sent it, where it is known when that began. */
  readonly program?: string
  /** The life of the tool that has sent it, where that is known. */
  readonly life?: string
}

/** A program that the tool runs begins to work, or has ended by itself with an answer. */
export interface ProgramMoment {
  readonly when: 'begins' | 'answered'
  readonly program: string
  /** The step that it was started for. */
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
