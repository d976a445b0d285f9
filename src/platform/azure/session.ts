import { readFile } from 'node:fs/promises'
import type { ContainerServiceClient } from '@azure/arm-containerservice'
import type { ComputeManagementClient } from '@azure/arm-compute'
import type { DnsManagementClient } from '@azure/arm-dns'
import type { ResourceManagementClient } from '@azure/arm-resources'
import type { TokenCredential } from '@azure/core-auth'
import type { Clock } from '../../contract/index.js'
import { readReference } from '../cloud/load.js'
import type { Cloud } from '../cloud/schema.js'
import { azureError, isNotFound } from './errors.js'
import { hintPolicy } from './hints.js'
import { follow, type Pollable } from './operation.js'
import type { Operation } from './door.js'

export interface SessionOptions {
  readonly cloud: Cloud
  readonly subscription: string
  readonly clock: Clock
  /** For a credential by `{ env: NAME }`, and for nothing else. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

/**
 * One login and the SDK clients on it, each loaded when it is first needed: importing them costs a tenth of a second and
 * more. Shared by the doors of all steps of a run, so that a token is asked for once.
 */
export class AzureSession {
  readonly subscription: string
  readonly #options: SessionOptions
  readonly compute: () => Promise<ComputeManagementClient>
  readonly clusters: () => Promise<ContainerServiceClient>
  readonly zones: () => Promise<DnsManagementClient>
  readonly resources: () => Promise<ResourceManagementClient>

  constructor(options: SessionOptions) {
    this.subscription = options.subscription
    this.#options = options
    const { subscription } = options
    const shared = once(() => this.#shared())
    this.compute = once(async () => {
      const [{ ComputeManagementClient: Client }, { credential, wishes }] = await Promise.all([import('@azure/arm-compute'), shared()])
      return new Client(credential, subscription, wishes)
    })
    this.clusters = once(async () => {
      const [{ ContainerServiceClient: Client }, { credential, wishes }] = await Promise.all([import('@azure/arm-containerservice'), shared()])
      return new Client(credential, subscription, wishes)
    })
    this.zones = once(async () => {
      const [{ DnsManagementClient: Client }, { credential, wishes }] = await Promise.all([import('@azure/arm-dns'), shared()])
      return new Client(credential, subscription, wishes)
    })
    this.resources = once(async () => {
      const [{ ResourceManagementClient: Client }, { credential, wishes }] = await Promise.all([import('@azure/arm-resources'), shared()])
      return new Client(credential, subscription, wishes)
    })
  }

  /** A read: undefined for what does not exist, a coded error for everything else. */
  async read<T>(doing: string, call: () => Promise<T>): Promise<T | undefined> {
    try {
      return await call()
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw azureError(error, doing)
    }
  }

  /** Resolves once Azure has accepted the write. */
  async start(doing: string, begin: () => Promise<Pollable>): Promise<Operation> {
    const { clock, cloud } = this.#options
    try {
      const poller = await begin()
      return follow(poller, doing, { clock, pollEveryMs: cloud.pollEveryMs })
    } catch (error) {
      throw azureError(error, doing)
    }
  }

  /** Waits for an operation whose answer is wanted. */
  async wait(poller: Pollable, doing: string): Promise<void> {
    const { clock, cloud } = this.#options
    await follow(poller, doing, { clock, pollEveryMs: cloud.pollEveryMs }).done
  }

  async #shared() {
    const { cloud } = this.#options
    const ca = cloud.certificateAuthority === undefined ? undefined : await readFile(cloud.certificateAuthority, 'utf8')
    const tlsOptions = ca === undefined ? {} : { tlsOptions: { ca } }
    const wishes = {
      endpoint: cloud.resourceManager,
      // One owner of retries: the engine, in the journal. The SDKs would send a PUT again on their own (facts/arm-wire).
      retryOptions: { maxRetries: 0 },
      additionalPolicies: [{ policy: hintPolicy, position: 'perCall' as const }],
      ...tlsOptions,
    }
    return { wishes, credential: await this.#credential(tlsOptions) }
  }

  async #credential(tlsOptions: { tlsOptions?: { ca: string } }): Promise<TokenCredential> {
    const { cloud, environment } = this.#options
    const { credential, tenant, authority, instanceDiscovery } = cloud
    const identity = await import('@azure/identity')
    switch (credential.kind) {
      case 'client-secret': {
        const secret = await readReference(credential.secret, environment)
        return new identity.ClientSecretCredential(tenant, credential.clientId, secret.reveal(), {
          authorityHost: authority,
          disableInstanceDiscovery: !instanceDiscovery,
          retryOptions: { maxRetries: 0 },
          ...tlsOptions,
        })
      }
      case 'azure-cli':
        return new identity.AzureCliCredential(tenant === 'organizations' ? {} : { tenantId: tenant })
      case 'managed-identity':
        return new identity.ManagedIdentityCredential(credential.clientId === undefined ? {} : { clientId: credential.clientId })
    }
  }
}

interface NewPoller<R> extends PromiseLike<R>, Pollable {
  readonly result: R | undefined
  submitted(): Promise<void>
}

/**
 * The newer SDKs' pollers are sent when they are made, and are promises besides: awaiting one by accident would start the
 * SDK's own waiting loop. This waits until it was sent and accepted, and hands on what is none.
 */
export async function submitted<R>(poller: NewPoller<R>): Promise<Pollable & { result(): R | undefined }> {
  await poller.submitted()
  return { poll: () => poller.poll(), result: () => poller.result }
}

interface OldPoller {
  poll(): Promise<void>
  getOperationState(): { readonly status: string; readonly error?: Error | undefined }
}

/** The older SDKs' pollers, in the form of the newer ones. */
export async function begun(begin: Promise<OldPoller>): Promise<Pollable> {
  const poller = await begin
  return {
    poll: async () => {
      await poller.poll()
      return poller.getOperationState()
    },
  }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined
      throw error
    })
    return made
  }
}
