import {
  sayWrite,
  type Action,
  type Alternative,
  type Change,
  type ErrorFacts,
  type EventOf,
  type Json,
  type Outcome,
  type Question,
  type Write,
} from '../contract/index.js'
import { cut, count, oneLine } from './text.js'

/** What every renderer says in the same words. */

const actions: readonly Action[] = ['create', 'update', 'delete', 'run']

/** `2 to create, 1 to run`; `nothing` for none. */
export function countByAction(changes: readonly Change[]): string {
  const parts = actions.flatMap((action) => {
    const amount = changes.filter((change) => change.action === action).length
    return amount === 0 ? [] : [`${amount} to ${action}`]
  })
  return parts.length === 0 ? 'nothing' : parts.join(', ')
}

/**
 * A resource's id as people say it: `managedClusters/data100-19s-2 in data100-19s`. What is no id of Azure's stays as it is.
 */
export function shortResource(resource: string): string {
  const match = /^\/subscriptions\/[^/]+\/resourceGroups\/([^/]+)(?:\/providers\/[^/]+\/(.+))?$/i.exec(resource)
  if (match === null) return oneLine(resource)
  const [, group = '', path] = match
  return path === undefined ? `resource group ${group}` : `${path} in ${group}`
}

/** A write as people say it: `PUT virtualMachines/nfsserver in data100-nfs`, `zpool export on data100-nfs/nfsserver`. */
export function shortWrite(write: Write): string {
  const match = 'path' in write ? /^resourceGroups\/([^/]+)(?:\/providers\/[^/]+)?(?:\/(.+))?$/i.exec(write.path) : null
  if (match === null || !('path' in write)) return oneLine(sayWrite(write))
  const [, group = '', path] = match
  return oneLine(path === undefined ? `${write.method} resource group ${group}` : `${write.method} ${path} in ${group}`)
}

/** `create managedClusters/data100-19s-2 in data100-19s`. */
export function sayChange(change: Change): string {
  return `${change.action} ${shortResource(change.resource)}`
}

const making: Readonly<Record<Action, string>> = { create: 'creating', update: 'changing', delete: 'deleting', run: 'working on' }

/** `creating managedCluster data100-19s-2`; of several changes the first, and how many more. */
export function sayMaking(changes: readonly Change[]): string {
  const [first, ...more] = changes
  if (first === undefined) return 'making changes'
  const others = more.length === 0 ? '' : ` and ${more.length} more`
  return `${making[first.action]} ${shortResource(first.resource)}${others}`
}

export function sayError(error: ErrorFacts): string {
  return `${oneLine(error.message)} [${error.code}]`
}

/** What users lose by these changes, each thing once. */
export function harmsOf(changes: readonly Change[]): readonly string[] {
  return [...new Set(changes.flatMap(({ harm }) => (harm === undefined ? [] : [oneLine(harm)])))]
}

/** `There is another way, attach-across-groups: …`. */
export function sayOffer({ id, offer }: Alternative): string {
  return `There is another way, ${oneLine(id)}: ${oneLine(offer)}`
}

export const outcomes: Readonly<Record<Outcome, string>> = {
  succeeded: 'succeeded',
  failed: 'failed',
  interrupted: 'was interrupted',
  declined: 'was declined by the operator',
}

/**
 * What a verified step did, as far as it is known: a check changes nothing, and a step may find all as wanted, be it that an earlier life
 * of the run had made it so, or had begun to.
 */
export function sayVerified(changes: number, isCheck: boolean, earlier?: 'begun' | 'done'): string {
  if (isCheck) return 'checked, as it should be'
  if (changes > 0) return `verified, ${count(changes, 'change')} made`
  switch (earlier) {
    case 'done':
      return 'done in an earlier life'
    case 'begun':
      return 'as wanted now, begun in an earlier life'
    case undefined:
      return 'as wanted already, nothing changed'
  }
}

export function sayAnswer({ kind, answer }: EventOf<'question.answered'>): string {
  const by = `by ${oneLine(answer.by)}`
  switch (answer.choice) {
    case 'go':
      return kind === 'surprise' ? `what is needed now agreed to ${by}` : `passed ${by}`
    case 'retry':
      return `to be tried again, decided ${by}`
    case 'done':
      return kind === 'manual' ? `done, said ${by}` : `done by hand, said ${by}; it is verified all the same`
    case 'skip':
      return `skipped ${by}: ${cut(oneLine(answer.reason), 200)}`
    case 'stop':
      return `stopped ${by}`
    case 'accept':
      return `goes on another way, ${oneLine(answer.alternative)}, chosen ${by}`
  }
}

/** What a program has said, from a checkpoint; empty for a checkpoint of another kind. */
export function saidIn(what: Json): readonly string[] {
  const said = typeof what === 'object' && what !== null && 'said' in what ? what.said : undefined
  return Array.isArray(said) ? said.map((one) => oneLine(String(one))) : []
}

/** `looksOn`: who reads it is at another terminal, whose Ctrl-C does not reach the run. */
export function sayStopping({ signal, displaced }: EventOf<'run.stopping'>, looksOn = false): string {
  if (displaced !== undefined) return `${oneLine(displaced)}. What is under way here comes to its end, and nothing new is begun.`
  return `${signal}: coming to a safe point${looksOn ? '' : '; once more ends at once'}`
}

const whose = (event: EventOf<'survivor.found' | 'survivor.handled'>): string => ('step' in event ? 'an earlier life of this run' : 'another run of this runbook')

/** A child of an earlier life, or of another run, that still runs: why nothing happens yet. */
export function sayFound(event: EventOf<'survivor.found'>): string {
  const { command, pid, survivor } = event
  const what = survivor === 'await' ? 'waiting until it is done' : 'ending it'
  return `${oneLine(command)} of ${whose(event)} is still at work; ${what} before anything is written (pid ${pid})`
}

/** The same in the live view, at the step that it belongs to or at none. */
export function sayAwaited({ command, survivor, ...event }: EventOf<'survivor.found'>): string {
  return `${survivor === 'await' ? 'waits for' : 'ends'} ${oneLine(command)} of ${'step' in event ? 'an earlier life' : 'another run'}`
}

const handled = { ended: 'ended', awaited: 'awaited until it was done', gone: 'was gone already' } as const

export function sayHandled(event: EventOf<'survivor.handled'>): string {
  const { command, pid, how } = event
  return `${oneLine(command)} of ${whose(event)}: ${handled[how]} (pid ${pid})`
}

/** In a few words, what a run asks, for somebody who cannot answer it. */
export function sayAsked(question: Question): string {
  switch (question.kind) {
    case 'gate':
      return oneLine(question.text)
    case 'manual':
      return `to be done by hand: ${question.checklist.map(oneLine).join('; ')}`
    case 'failure':
      return `it failed, what now? ${oneLine(question.error.message)}`
    case 'surprise':
      return 'the world has moved on; make these changes instead?'
  }
}
