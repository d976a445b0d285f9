import { z } from 'zod'
import { durationMs } from '../contract/inputs.js'

/** What a runbook file may hold. `vars` and `with` are checked apart, since expressions stand in them. */

export const apiVersion = 'lifeboat/v1'
export const defaultCloud = 'AzurePublicCloud'

const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'a name has letters, digits, and . _ - between them, 63 at most')

const stepId = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,62}$/, 'an id begins with a letter and goes on with letters, digits, - and _, 63 at most')

const guid = z
  .string()
  .regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, 'a subscription id looks like 00000000-0000-0000-0000-000000000000')

const text = z.string().min(1, 'it is empty')

export const azureSection = z.strictObject({
  subscription: guid.describe('Id of the subscription that the failover happens in'),
  location: text.describe('Azure region, as in westus2'),
  cloud: text.default(defaultCloud).describe('Without --cloud: AzurePublicCloud or another of Azure’s own'),
})

export const objectiveSection = z.strictObject({ rto: durationMs.describe('From the decision to users who can work again, as in 45m') })

export const rehearsalSection = z.strictObject({
  world: text.describe("File of the simulated world; a relative path begins at the runbook's folder"),
  incident: z
    .array(z.strictObject({ what: text, step: z.string().describe('The step whose end is that moment'), after: durationMs }))
    .nullish()
    .describe("The incident's own times, shown beside the rehearsal's"),
})

export const runbookFile = z.strictObject({
  apiVersion: z.literal(apiVersion),
  name: name.describe('What a run is confirmed by'),
  objective: objectiveSection.optional().describe('What the failover is measured by'),
  azure: azureSection,
  rehearsal: rehearsalSection.optional().describe('What `lifeboat rehearse` plays it in'),
  vars: z.record(z.string(), z.unknown()).nullish().describe('Values that steps refer to as ${{ vars.NAME }}'),
  steps: z.array(z.unknown()).min(1, 'a runbook has at least one step'),
})

export const stepFile = z.strictObject({
  id: stepId,
  uses: text,
  needs: z.union([z.string(), z.array(z.string())]).nullish().describe('Steps that come before, beside those that `with` refers to'),
  with: z.record(z.string(), z.unknown()).nullish(),
})

export const gateInputs = z.strictObject({ ask: text })

export const manualInputs = z.strictObject({ checklist: z.array(text).min(1, 'a checklist has at least one line') })
