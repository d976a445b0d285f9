/** What a scenario may speak of: names of its runbook and of its world. */
export interface Known {
  readonly steps: readonly string[]
  /** What each of them is: gates and manual steps are only asked. */
  readonly kinds: ReadonlyMap<string, 'step' | 'gate' | 'manual'>
  /** Each by its name, and as `GROUP/NAME` where its group is known. */
  readonly machines: readonly string[]
  readonly pools: readonly string[]
  readonly hubs: readonly string[]
  readonly nameServers: readonly string[]
  readonly disks: readonly string[]
  /** As `machines`. */
  readonly clusters: readonly string[]
  readonly groups: readonly string[]
  readonly namespaces: readonly string[]
  /** As far as the runbook names them without an expression. */
  readonly releases: readonly string[]
  /** Kinds of which these are all that there can ever be. Else what the site names somewhere may be one, too. */
  readonly closed: ReadonlySet<'machine' | 'cluster' | 'release'>
  /** Folders that the world's `env` makes. */
  readonly folders: readonly string[]
  /** What quotas are of: `cores`, and the families of sizes. */
  readonly stocks: readonly string[]
  /** Sizes of machines that the region has. */
  readonly sizes: readonly string[]
  /** What else a site can have: values of the runbook's inputs and variables, and of the world's, and the parts of paths among them. */
  readonly named: ReadonlySet<string>
}

/** Something that a scenario says of what there is not. */
export interface Complaint {
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly hint?: string
  readonly near?: { readonly word: string; readonly among: readonly string[]; readonly what: string; readonly besides?: Iterable<string> }
}
