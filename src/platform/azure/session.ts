import { readFile } from 'node:fs/promises'
import type { ContainerServiceClient } from '@azure/arm-containerservice'
import type { ComputeManagementClient } from '@azure/arm-compute'
import type { DnsManagementClient } from '@azure/arm-dns'
import type { ResourceManagementClient } from '@azure/arm-resources'
import type { Pipeline } from '@azure/core-rest-pipeline'
import { LifeboatError, type Clock, type Log, type Patience } from '../../contract/index.js'
import { forgetAmbient } from './ambient.js'
import { answersPolicy } from './answers.js'
import { credentialFor, type Login } from './credential.js'
import type { Operation } from './door.js'
import { azureError, isNotFound } from './errors.js'
import { wirePolicy } from './hints.js'
import { parseId, type ResourceIdParts } from './ids.js'
import { withLock } from './locks.js'
import { logPolicy } from './log-policy.js'
import { follow, type Pollable } from './operation.js'
import type { AzureWire } from './wire.js'

export interface SessionOptions extends Login {
  readonly clock: Clock
  /** Real milliseconds within which an answer must be here; the usual limit if absent. */
  readonly answerWithinMs?: number
  /** Told of every request. */
  readonly log?: Log
  /** Absent: sockets, and the login that the cloud file names. */
  readonly wire?: AzureWire
}

/**
 * One login and the SDK clients on it, each loaded when it is first needed: importing them costs a tenth of a second and
 * more. Shared by the doors of all steps of a run, so that a token is asked for once.
 */
export class AzureSession {
  readonly subscription: string
  readonly #options: SessionOptions
  readonly #asking = new Map<string, Promise<unknown>>()
  readonly #forget: (() => void)[] = []
  readonly compute: () => Promise<ComputeManagementClient>
  readonly clusters: () => Promise<ContainerServiceClient>
  readonly zones: () => Promise<DnsManagementClient>
  readonly resources: () => Promise<ResourceManagementClient>

  constructor(options: SessionOptions) {
    this.subscription = options.subscription
    // As it is now: some of it is forgotten before the SDKs are loaded.
    this.#options = { ...options, environment: { ...options.environment } }
    const { subscription } = options
    const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
      const { get, forget } = kept(make)
      this.#forget.push(forget)
      return get
    }
    const shared = once(() => this.#shared())
    this.compute = once(async () => {
      const { credential, wishes } = await shared()
      const { ComputeManagementClient: Client } = await import('@azure/arm-compute')
      return lean(new Client(credential, subscription, wishes))
    })
    this.clusters = once(async () => {
      const { credential, wishes } = await shared()
      const { ContainerServiceClient: Client } = await import('@azure/arm-containerservice')
      return lean(new Client(credential, subscription, wishes))
    })
    this.zones = once(async () => {
      const { credential, wishes } = await shared()
      const { DnsManagementClient: Client } = await import('@azure/arm-dns')
      return lean(new Client(credential, subscription, wishes))
    })
    this.resources = once(async () => {
      const { credential, wishes } = await shared()
      const { ResourceManagementClient: Client } = await import('@azure/arm-resources')
      return lean(new Client(credential, subscription, wishes))
    })
  }

  /** Takes an id apart that must lie in the run's subscription: the clients would ask for it there, whatever it says. */
  parse(id: string): ResourceIdParts {
    const parts = parseId(id)
    if (parts.subscription.toLowerCase() === this.subscription.toLowerCase()) return parts
    throw new LifeboatError('azure.other-subscription', `${id} is not in subscription ${this.subscription}`, {
      blame: 'user',
      hint: 'A run works in one subscription, the one under `azure` in the runbook.',
    })
  }

  /** Origin of the resource manager, without a slash at its end. */
  get endpoint(): string {
    return new URL(this.#options.cloud.resourceManager).origin
  }

  /** The run's. */
  get clock(): Clock {
    return this.#options.clock
  }

  /** A read: undefined for what does not exist, a coded error for everything else. */
  async read<T>(doing: string, call: () => Promise<T>): Promise<T | undefined> {
    try {
      return await call()
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw this.told(error, doing)
    }
  }

  /**
   * A coded error. Where a token was refused, the next call logs in anew: SDKs keep a token until its own end, whatever is
   * said of it. A login that is refused then is told as that, and not tried again.
   */
  told(error: unknown, doing: string): LifeboatError {
    const coded = isOfPoll(error) ? forgotten(doing) : azureError(error, doing)
    if (coded.code === 'azure.token-refused') for (const forget of this.#forget) forget()
    return coded
  }

  /** Of those who want to know the same at one moment, one asks and all get the answer. Nothing is kept beyond that. */
  shared<T>(key: string, work: () => Promise<T>): Promise<T> {
    const under = this.#asking.get(key)
    if (under !== undefined) return under as Promise<T>
    const asking = work().finally(() => this.#asking.delete(key))
    this.#asking.set(key, asking)
    return asking
  }

  /** A write that is answered when it is done. */
  async write<T>(doing: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call()
    } catch (error) {
      const coded = this.told(error, doing)
      throw coded.code === 'azure.locked' ? await withLock(this, coded) : coded
    }
  }

  /** A read that is a POST: a ReadOnly lock refuses it like a write. */
  async readByPost<T>(doing: string, call: () => Promise<T>): Promise<T | undefined> {
    return this.write(doing, () =>
      call().catch((error: unknown) => {
        if (isNotFound(error)) return undefined
        throw error
      }),
    )
  }

  /** Resolves once Azure has accepted the write. */
  async start(doing: string, begin: () => Promise<Pollable>): Promise<Operation> {
    const { clock, cloud } = this.#options
    // The older SDKs look at the operation once before they say that it was accepted: that look may be what fails here.
    return follow(await this.write(doing, begin), { clock, pollEveryMs: cloud.pollEveryMs, told: (error) => this.told(error, doing) })
  }

  /** The same for a deletion: what is not there is deleted. */
  async remove(doing: string, begin: () => Promise<Pollable>): Promise<Operation> {
    const gone: Pollable = { poll: async () => ({ status: 'succeeded' }) }
    return this.start(doing, () =>
      begin().catch((error: unknown) => {
        if (isNotFound(error) && !isOfPoll(error)) return gone
        throw error
      }),
    )
  }

  /** Waits for an operation whose answer is wanted, as long as `patience` lasts. */
  async wait(poller: Pollable, doing: string, patience?: Patience): Promise<void> {
    const { clock, cloud } = this.#options
    const following = { clock, pollEveryMs: cloud.pollEveryMs, told: (error: unknown) => this.told(error, doing) }
    await follow(poller, patience === undefined ? following : { ...following, patience }).done
  }

  async #shared() {
    const { cloud, clock, log, wire } = this.#options
    const logging = log === undefined ? [] : [{ policy: logPolicy(log, clock), position: 'perRetry' as const }]
    if (cloud.env !== undefined) forgetAmbient(process.env)
    const tlsOptions = cloud.certificateAuthority === undefined ? {} : { tlsOptions: { ca: await authorityOf(cloud.certificateAuthority) } }
    const wishes = {
      endpoint: cloud.resourceManager,
      // One owner of retries: the engine, in the journal. The SDKs would send a PUT again on their own (facts/arm-wire).
      retryOptions: { maxRetries: 0 },
      additionalPolicies: [
        { policy: wirePolicy(this.#options.answerWithinMs, wire?.after), position: 'perCall' as const },
        { policy: answersPolicy, position: 'perRetry' as const },
        ...logging,
      ],
      ...tlsOptions,
    }
    if (wire === undefined) return { wishes, credential: await credentialFor(this.#options, { ...tlsOptions, logging }) }
    // It loads the SDKs' pipeline, which a command that only checks a file does not need.
    const { clientOver, credentialOver } = await import('./wire.js')
    return { wishes: { ...wishes, httpClient: clientOver(wire) }, credential: credentialOver(wire) }
  }
}

/**
 * Is this Azure's answer to a question for an operation, which it does not know (any more)? It says nothing of what became of it. A read of
 * a resource never comes this far with it: that one is not there.
 */
function isOfPoll(error: unknown): boolean {
  return isNotFound(error) && (error as { readonly request?: { readonly method: string } }).request?.method === 'GET'
}

function forgotten(doing: string): LifeboatError {
  return new LifeboatError('azure.operation-unknown', `${doing}: Azure does not know that operation any more`, {
    retry: {},
    hint: 'What became of it shows in what is there: it is looked at again before anything is written.',
  })
}

/**
 * What the SDKs put in every request's way and nobody here needs: traces, forms, a log beside ours, signals of another kind than Node's,
 * and a retry that has nothing left to do. Each of them is passed twice by every request of a failover, and there are hundreds.
 */
const needless = ['tracingPolicy', 'formDataPolicy', 'multipartPolicy', 'logPolicy', 'wrapAbortSignalLikePolicy', 'defaultRetryPolicy'] as const

function lean<T extends { readonly pipeline: Pipeline }>(client: T): T {
  for (const name of needless) client.pipeline.removePolicy({ name })
  return client
}

async function authorityOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new LifeboatError('cloud.reference', `${path}, the cloud file's certificateAuthority, cannot be read`, { blame: 'user', cause })
  }
}

/** Made once, and again after a failure or when it is to be forgotten. */
function kept<T>(make: () => Promise<T>): { readonly get: () => Promise<T>; readonly forget: () => void } {
  let made: Promise<T> | undefined
  const forget = (): void => void (made = undefined)
  const get = (): Promise<T> => {
    made ??= make().catch((error: unknown) => {
      forget()
      throw error
    })
    return made
  }
  return { get, forget }
}
