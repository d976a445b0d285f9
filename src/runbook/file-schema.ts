import { z } from 'zod'
import { durationMs } from '../contract/index.js'

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
  subscription: guid,
  location: text,
  cloud: text.default(defaultCloud),
})

export const objectiveSection = z.strictObject({ rto: durationMs })

export const rehearsalSection = z.strictObject({
  world: text,
  incident: z.array(z.strictObject({ what: text, step: z.string(), after: durationMs })).nullish(),
})

export const runbookFile = z.strictObject({
  apiVersion: z.literal(apiVersion),
  name,
  objective: objectiveSection.optional(),
  azure: azureSection,
  rehearsal: rehearsalSection.optional(),
  vars: z.record(z.string(), z.unknown()).nullish(),
  steps: z.array(z.unknown()).min(1, 'a runbook has at least one step'),
})

export const stepFile = z.strictObject({
  id: stepId,
  uses: text,
  needs: z.union([z.string(), z.array(z.string())]).nullish(),
  with: z.record(z.string(), z.unknown()).nullish(),
})

export const gateInputs = z.strictObject({ ask: text })

export const manualInputs = z.strictObject({ checklist: z.array(text).min(1, 'a checklist has at least one line') })
