import { z } from 'zod'
import { call, operations } from './faults.js'
import { oneOf, type One } from './one-of.js'
import { questionKinds } from './operator.js'
import { siteFileName } from './site-file.js'
import { span } from './span.js'

const said = z.string().min(1).describe('A text, or a regular expression between slashes')

/** How the last command can have ended. */
export const outcomes = ['succeeded', 'stopped', 'declined', 'not-ready', 'locked', 'refused', 'killed'] as const

/** Of helm's releases. */
const releaseStates = [
  'deployed', 'failed', 'pending-install', 'pending-upgrade', 'pending-rollback', 'superseded', 'uninstalling', 'uninstalled', 'unknown',
] as const

/** Of a managed cluster. */
const provisioningStates = ['Succeeded', 'Failed', 'Canceled', 'Creating', 'Updating', 'Deleting'] as const

const count = z.number().int().nonnegative()

/** What can be expected of the world in the end, by what it is about. */
export const worldExpectations = {
  pool: z
    .strictObject({
      name: z.string().min(1),
      on: z.string().optional().describe('`old`: the server that had it at the start; `new`: one other server; `nobody`; or `GROUP/NAME`'),
      health: z.enum(['ONLINE', 'DEGRADED', 'FAULTED']).optional(),
    })
    .refine(({ on, health }) => on !== undefined || health !== undefined, 'it takes on, or health, or both')
    .describe('A ZFS pool: `on`, `health`, or both'),
  name: z
    .strictObject({
      host: z.string().min(1),
      leads: z.string().min(1).describe('`unchanged`; `to-its-hub`: to an address where a hub of that name answers; or an address'),
    })
    .describe('What the name servers answer for a name'),
  hub: z.strictObject({ host: z.string().min(1), answers: z.boolean() }).describe('Whether a hub answers where its name leads'),
  disk: z.strictObject({ name: z.string().min(1), in: z.string().min(1).describe('Its resource group') }).describe('Where a disk is'),
  machine: z
    .strictObject({ name: z.string().min(1), power: z.enum(['running', 'stopped', 'deallocated', 'absent']) })
    .describe('A machine, `NAME` or `GROUP/NAME`'),
  release: z
    .strictObject({
      name: z.string().min(1),
      status: z.enum([...releaseStates, 'absent']).describe('As helm says it, or `absent`'),
      revision: z.number().int().positive().optional().describe('How often it was installed and changed since it was last installed anew: 1 where nothing was done to it after that'),
    })
    .refine(({ status, revision }) => status !== 'absent' || revision === undefined, 'what is absent has no revision')
    .describe('A helm release'),
  cluster: z
    .strictObject({ name: z.string().min(1), state: z.enum([...provisioningStates, 'absent']).describe('Its provisioning state, or `absent`') })
    .describe('A managed cluster'),
  operation: z
    .strictObject({ name: z.enum(operations), times: count, on: z.string().optional(), status: z.enum(['succeeded', 'failed', 'canceled', 'running']).default('succeeded') })
    .describe('How often something was done'),
  file: z
    .strictObject({ env: z.string().min(1), name: siteFileName, says: z.string() })
    .describe("A file of the site, in a folder that the world's `env` names: its text, but for spaces around it"),
  calls: z
    .strictObject({ call, times: count.optional(), atMost: count.optional() })
    .refine(({ times, atMost }) => times !== undefined || atMost !== undefined, 'it takes times, or atMost')
    .describe('How often something was sent to Azure: `times`, or `atMost`'),
} as const

export type WorldExpectation = One<typeof worldExpectations>

const askedSchema = z.strictObject({
  step: z.string().min(1).describe('Id of the step that asks'),
  asks: z.enum(questionKinds),
  times: count.optional().describe('Without it: at least once. 0: never'),
})

export const expectSchema = z.strictObject({
  outcome: z.enum(outcomes).describe('How the last command ends: succeeded is exit code 0, stopped 1, refused 2, declined 3, not-ready 4, locked 5'),
  within: span.optional().describe("From the first command to the end of the last one, in the world's time. `objective` of the runbook is told anyway"),
  told: z.array(said).default([]).describe('What must have been said to the operator, or to a colleague, by commands or questions; how far a command is counts, too'),
  notTold: z.array(said).default([]).describe('What must not have been said to them'),
  asked: z.array(askedSchema).default([]).describe('What the operator must have been asked'),
  violations: z
    .array(said)
    .default([])
    .describe('What the oracle must find, since a fault itself does it (a server that comes back and imports its old pool). Anything else that it finds is against the scenario'),
  converged: z
    .boolean()
    .optional()
    .describe('Whether the oracle must find a whole failover at the end: hubs, names, storage, nothing half done. By default where the outcome is succeeded and the last command no undo'),
  asAtStart: z.boolean().default(false).describe('What the world began with must be as it was: after an undo, or where nothing was to be touched. What has come besides is not looked at, nor are releases'),
  world: z.array(oneOf(worldExpectations, 'expectation')).default([]).describe('What the world must look like at the end'),
})

export type Expect = z.output<typeof expectSchema>
