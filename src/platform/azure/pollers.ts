import type { Pollable } from './operation.js'

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
