import { z } from 'zod'
import { secret } from '../../contract/inputs.js'

/** A text by reference, so that no cloud file holds a secret. Paths are relative to the cloud file's folder. */
export const reference = secret

const jump = z.strictObject({
  host: z.string(),
  port: z.number().int().default(22),
  user: z.string(),
  /** Private key to log in to the jump host with; the step's own key if absent. */
  identity: reference.optional(),
  /** The jump host's public key, `ssh-ed25519 AAAA…`: it is not a VM, so nobody can read it through the control plane. */
  hostKey: z.string(),
})

const sshReach = z.strictObject({
  /** Resource id of the virtual network that this way leads into. */
  network: z.string(),
  /**
   * By a jump host, or `direct`: to the machine's public address if it has one, else to its private one, which needs a route there
   * (a VPN). Azure Bastion is not supported: put a jump host into the network, or give the machine a public address.
   */
  via: z.union([z.literal('direct'), z.strictObject({ jump })], { error: '`direct`, or `jump` with a host; Azure Bastion is not supported' }),
})

/**
 * The cloud file: all that a client needs, for Azure's own clouds and for a simulated world alike (design §9). Nothing in
 * it says which of the two it is.
 */
export const cloudSchema = z.strictObject({
  name: z.string(),
  resourceManager: z.url(),
  authority: z.url(),
  tenant: z.string(),
  /** False where the authority is not one that Microsoft's instance discovery knows. */
  instanceDiscovery: z.boolean().default(true),
  /** PEM file, if the system's authorities do not vouch for the endpoints. */
  certificateAuthority: z.string().optional(),
  credential: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('client-secret'), clientId: z.string(), secret: reference }),
    z.strictObject({ kind: z.literal('azure-cli') }),
    z.strictObject({ kind: z.literal('managed-identity'), clientId: z.string().optional() }),
  ]),
  /** What `${{ env.X }}` reads. Where this section stands, the process's environment is not looked at. */
  env: z.record(z.string(), z.union([z.string(), reference])).optional(),
  reach: z
    .strictObject({
      /** `http://host:port` of a CONNECT proxy through which hubs and API servers are reached. */
      httpsProxy: z.url().optional(),
      /** Name server's name -> `address:port` where it answers. */
      nameServers: z.record(z.string(), z.string()).default({}),
      ssh: z.array(sshReach).default([]),
    })
    .prefault({}),
  clock: z
    .strictObject({
      /** The moment at which both clocks are compared. */
      real: z.iso.datetime(),
      world: z.iso.datetime(),
      rate: z.number().positive(),
    })
    .optional(),
  /** Milliseconds of the run's clock between two looks, where the cloud gives no hint. */
  pollEveryMs: z.number().positive().default(10_000),
})

export type Cloud = z.infer<typeof cloudSchema>

/** A text by reference. */
export type Reference = z.infer<typeof reference>
