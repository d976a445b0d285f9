import { Refused, Unreachable, type KubeClient } from '../kube-client.js'
import type { Surroundings } from '../program.js'
import { HelmFailure, type Owner } from './objects.js'
import type { Releases } from './releases.js'
import type { Renderer } from './render.js'
import type { Args } from '../args.js'
import type { Waiting } from './wait.js'

/** One call of helm on a cluster. */
export interface Operation extends Owner {
  readonly args: Args
  readonly at: Surroundings
  readonly client: KubeClient
  readonly releases: Releases
  readonly renderer: Renderer
  readonly waiting: Waiting
}

/** What helm does first: is there a cluster, and does it let us in? Throws HelmFailure. */
export async function reach(client: KubeClient): Promise<{ readonly gitVersion: string }> {
  try {
    return (await client.send('GET', '/version')) as { gitVersion: string }
  } catch (error) {
    throw new HelmFailure(`kubernetes cluster unreachable: ${sayFailure(error)}`)
  }
}

/** The words for what an operation met. What is no failure of the world is a fault of the model, and thrown on. */
export function sayFailure(error: unknown): string {
  if (error instanceof HelmFailure || error instanceof Unreachable || error instanceof Refused) return error.message
  throw error
}

/** `60s`, `1m30s`, `0.5s`, in milliseconds; helm's own five minutes if absent. */
export function durationMs(text: string | undefined): number {
  if (text === undefined) return 5 * 60_000
  const units = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const
  let sum = 0
  for (const [, number = '0', unit = 's'] of text.matchAll(/([\d.]+)(ms|h|m|s)/g)) sum += Number(number) * units[unit as keyof typeof units]
  return sum
}
