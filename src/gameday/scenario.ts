import { z } from 'zod'
import { expectSchema } from './expectations.js'
import { faultSchema } from './faults.js'
import { operatorSchema } from './operator.js'
import { mostSeed } from './seed.js'

export const apiVersion = 'lifeboat/gameday/v1'

const sentence = z.string().min(1, 'it is empty')

/** A scenario as its file has it. Paths begin at the file's folder. */
export const scenarioSchema = z.strictObject({
  apiVersion: z.literal(apiVersion),
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'a name has small letters, digits and -'),
  reason: sentence.describe('Why this scenario exists: the real fault, and what the tool does not cover of it'),
  runbook: sentence.describe('The runbook that is put to the test; its path begins at the folder of this file'),
  world: sentence.optional().describe("The world that it is played in, from the same folder; without it, the runbook's own of rehearsals"),
  change: z.record(z.string(), z.unknown()).optional().describe('What is other in that world from the start: laid over it as one world file over another (`extends`)'),
  seed: z.number().int().nonnegative().max(mostSeed).default(7).describe('Latencies come out of it; `--seed` overrides it'),
  speed: z.number().int().min(1).default(30).describe('With `--real`: how many times as fast as the machine the world goes; `--speed` overrides it'),
  hypothesis: sentence.describe('What is thought to happen, said before and judged after'),
  faults: z.array(faultSchema).min(1, 'a game day without a fault tests nothing').describe('The timeline'),
  operator: operatorSchema.prefault({}).describe('What the operator does and answers'),
  expect: expectSchema,
})

export type Scenario = z.output<typeof scenarioSchema>
