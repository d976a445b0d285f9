import { z } from 'zod'
import { durationMs, file } from '../../src/contract/inputs.js'
import { parseRunbook, renderDiagnostic, type Runbook, type StepNode, type StepSchema, type StepSchemas } from '../../src/runbook/index.js'

const schema = (uses: string, inputs: StepSchema['inputs'], outputs: z.ZodType<Record<string, unknown>>): [string, StepSchema] => [
  uses,
  { uses, inputs, outputs },
]

const disk = z.strictObject({ name: z.string(), lun: z.int() })

/** A few modules with every kind of input that the loader treats differently. */
export const sampleSchemas: StepSchemas = new Map([
  schema(
    'cloud/group',
    z.strictObject({ name: z.string(), location: z.string().optional() }),
    z.object({ id: z.string(), name: z.string() }),
  ),
  schema(
    'cloud/server',
    z.strictObject({
      group: z.string(),
      count: z.int().min(1).optional(),
      public: z.boolean().optional(),
      sshKey: file.optional(),
    }),
    z.object({
      id: z.string(),
      address: z.string(),
      disks: z.array(disk),
      largest: z.object({ name: z.string(), lun: z.int(), size: z.number() }),
      labels: z.record(z.string(), z.string()),
      seen: z.string().optional(),
    }),
  ),
  schema('cloud/disks', z.strictObject({ disks: z.array(disk).min(1) }), z.object({ disks: z.array(disk), count: z.number() })),
  schema(
    'cloud/release',
    z.object({
      chart: file,
      values: z.record(z.string(), z.json()).optional(),
      valueFiles: z.array(file).default([]),
      timeout: durationMs.optional(),
      from: z.object({ service: z.string() }).optional(),
      tls: z.enum(['any', 'valid']).optional(),
      size: z.union([z.number(), z.strictObject({ min: z.number(), max: z.number() })]).optional(),
    }),
    z.object({ address: z.string() }),
  ),
])

export const preamble = `apiVersion: lifeboat/v1
name: sample
azure: { subscription: 00000000-1111-2222-3333-444444444444, location: westus2 }
`

/** A runbook of these steps; its first step stands on line 5. */
export function withSteps(steps: string): string {
  return `${preamble}steps:\n${steps}`
}

/** The findings as they are printed, one a line. */
export function findingsOf(text: string, harmful?: ReadonlySet<string>): readonly string[] {
  return parseRunbook(text, 'r.yaml', sampleSchemas, harmful).diagnostics.map(renderDiagnostic)
}

/** A runbook that must be right. */
export function sampleRunbook(text: string, path = '/books/r.yaml'): Runbook {
  const { runbook, diagnostics } = parseRunbook(text, path, sampleSchemas)
  if (runbook === undefined) throw new Error(diagnostics.map(renderDiagnostic).join('\n'))
  return runbook
}

export function stepOf(runbook: Runbook, id: string): StepNode {
  const node = runbook.nodes.find((one) => one.id === id)
  if (node?.kind !== 'step') throw new Error(`no step ${id}`)
  return node
}
