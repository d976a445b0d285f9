import { z } from 'zod'

const durationUnits = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const

/** `20m`, `90s`, `1h`: milliseconds of the world. */
export const duration = z
  .string()
  .regex(/^\d+(\.\d+)?(ms|s|m|h)$/, 'a duration carries its unit, as in 90s or 20m')
  .transform((text) => {
    const [, amount, unit] = /^([\d.]+)(ms|s|m|h)$/.exec(text) ?? []
    return Number(amount) * durationUnits[unit as keyof typeof durationUnits]
  })

const resource = z.strictObject({
  id: z.string(),
  tags: z.record(z.string(), z.string()).default({}),
  zones: z.array(z.string()).optional(),
  sku: z.record(z.string(), z.unknown()).optional(),
  identity: z.record(z.string(), z.unknown()).optional(),
  properties: z.record(z.string(), z.unknown()).default({}),
})

const dataset = z.strictObject({
  name: z.string(),
  mountpoint: z.string(),
  usedGiB: z.number(),
  properties: z.record(z.string(), z.string()).default({}),
})

const pool = z.strictObject({
  name: z.string(),
  guid: z.string(),
  /** Names of the disks that make it. */
  disks: z.array(z.string()),
  layout: z.enum(['mirror', 'stripe']),
  sizeGiB: z.number(),
  allocatedGiB: z.number(),
  datasets: z.array(dataset),
  /** Features of ZFS that it uses; those that OpenZFS 2.1 does not know, only the server knows that has it at the beginning. */
  features: z.array(z.string()).default(['enabled_txg', 'extensible_dataset', 'hole_birth', 'lz4_compress', 'spacemap_histogram']),
  importedOn: z.string().optional(),
})

const host = z.strictObject({
  /** Id of the machine. */
  machine: z.string(),
  user: z.string(),
  /** Names of `env` values that are SSH keys: their public halves may log in. */
  authorizedKeys: z.array(z.string()).default([]),
  exports: z.array(z.strictObject({ path: z.string(), clients: z.string(), options: z.string() })).default([]),
  nfs: z.boolean().default(false),
  /** Its operating system answers nobody from the start, though the machine runs and writes on. */
  silent: z.boolean().default(false),
})

/** Files by name: a path would lead out of the folder. */
const folder = z.record(z.string().regex(/^[\w-][\w.-]*$/, 'the name of a file, without a path'), z.string())

/** A world's starting state: `fixtures/worlds/*.yaml`. */
export const worldSchema = z.strictObject({
  name: z.string(),
  /** World time at the start. */
  epoch: z.iso.datetime({ offset: true }),
  subscription: z.string(),
  tenant: z.string(),
  location: z.string(),
  /** How far the clock on the wire is ahead of this machine's, in real time. */
  clockAhead: duration.default(0),
  /** How long a token is good, in real time; whole seconds. */
  tokenLifetime: duration.default(3_599_000),
  /**
   * Values for `${{ env.X }}`. `{ sshKey: true }` makes a key pair and gives the private key's path; `{ folder: { NAME: TEXT } }`
   * a private folder with these files, for what a site's own commands read and write, and gives its path.
   */
  env: z.record(z.string(), z.union([z.string(), z.strictObject({ sshKey: z.literal(true) }), z.strictObject({ folder })])).default({}),
  /**
   * Virtual networks that have a jump host; a network may be one that does not exist yet. `address` is the private address from
   * which it comes to the machines: security groups go by it.
   */
  jumpHosts: z.array(z.strictObject({ network: z.string(), address: z.ipv4().default('10.250.0.4') })).default([]),
  /**
   * The public address of an operator who goes to the machines directly: security groups go by it. Machines of this file whose public
   * address is one of this machine's own (127.…) are then reached there, at port 22; below 1024 not everybody may listen.
   */
  operatorAddress: z.ipv4().optional(),
  groups: z.array(
    z.strictObject({
      name: z.string(),
      tags: z.record(z.string(), z.string()).default({}),
      managedBy: z.string().optional(),
    }),
  ),
  resources: z.array(resource).default([]),
  /** Ids of images (managed ones, or versions in a gallery) that have ZFS and the NFS server already. */
  preparedImages: z.array(z.string()).default([]),
  hosts: z.array(host).default([]),
  pools: z.array(pool).default([]),
  zones: z
    .array(
      z.strictObject({
        id: z.string(),
        nameServers: z.array(z.string()),
        records: z.array(
          z.strictObject({ name: z.string(), type: z.string(), ttl: z.number(), values: z.array(z.string()) }),
        ),
      }),
    )
    .default([]),
  /** Clusters whose API server answers nobody any more. */
  deadApiServers: z.array(z.string()).default([]),
  kubernetesVersions: z.array(z.string()),
  /** vCPUs that may be used of a family, by its name in usages, or of the region under `cores`; 350 where nothing is said. */
  quota: z.record(z.string(), z.number()).default({}),
  /** Sizes that this subscription cannot have in the region, or in some of its zones only. */
  unavailableSizes: z.array(z.strictObject({ size: z.string(), zones: z.array(z.string()).optional() })).default([]),
  /** Resource providers that are not registered, by namespace. */
  providers: z.record(z.string(), z.enum(['NotRegistered', 'Registering', 'Unregistered'])).default({}),
  /**
   * What Azure Policy denies of what is put: of one type or of any, outside some locations, of other sizes than these, without
   * a tag; wholly where it says none of the three.
   */
  policies: z
    .array(
      z.strictObject({
        name: z.string(),
        scope: z.string().optional(),
        type: z.string().optional(),
        locations: z.array(z.string()).optional(),
        sizes: z.array(z.string()).optional(),
        tag: z.string().optional(),
      }),
    )
    .default([]),
  /** What the one client of this world may do: roles at the subscription, or at a group or resource. */
  permissions: z
    .array(
      z.strictObject({
        scope: z.string().optional(),
        actions: z.array(z.string()),
        notActions: z.array(z.string()).default([]),
      }),
    )
    .default([{ actions: ['*'], notActions: [] }]),
  /** Management locks: of the subscription, or of the group or resource under `scope`. */
  locks: z
    .array(z.strictObject({ name: z.string(), scope: z.string().optional(), level: z.enum(['ReadOnly', 'CanNotDelete']) }))
    .default([]),
  /** Old and new hubs: what must hold for `https://host` to answer. */
  hubs: z
    .array(
      z.strictObject({
        host: z.string(),
        /** Namespace of the release that serves it. */
        namespace: z.string(),
        /** Pool dataset that holds its homes. */
        dataset: z.string(),
        /** Address of a hub that serves it now, outside any simulated cluster, with the machine whose exports it needs. */
        serving: z
          .strictObject({
            address: z.string(),
            machine: z.string(),
            /** Id of the load balancer that it is behind, for a reserved address: the hub is there only while that one holds it. */
            balancer: z.string().optional(),
          })
          .optional(),
        /** How long the hub's own certificate takes after DNS points at it. */
        certificateAfter: duration,
      }),
    )
    .default([]),
  /** First public address that load balancers get. */
  addresses: z.strictObject({ first: z.string() }).default({ first: '203.0.113.1' }),
  /** How long each operation takes, by its name in the state's `operations`: `cluster create`, `zpool import`, … */
  durations: z.record(z.string(), duration),
  /** Time until the pods of a release are ready, by namespace. */
  podsReady: z.record(z.string(), duration).default({}),
})

export type WorldSpec = z.infer<typeof worldSchema>
