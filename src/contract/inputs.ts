import { z } from 'zod'

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const

/** `90s`, `20m`, `1h`; becomes milliseconds. A number without a unit is refused. */
export const durationMs = z
  .string()
  .regex(/^\d+(\.\d+)?(ms|s|m|h)$/, 'a duration carries its unit, as in 90s, 20m or 1h')
  .transform((text) => {
    const [, amount, unit] = /^([\d.]+)(ms|s|m|h)$/.exec(text) ?? []
    return Number(amount) * unitMs[unit as keyof typeof unitMs]
  })
  .describe('A duration with its unit, as in 90s, 20m or 1h')

/**
 * A file or folder that the step reads. Relative paths are relative to the runbook's folder; what it holds is pinned by
 * digest when a run starts, and a resume with other contents is refused.
 */
export const file = z.string().min(1).meta({ lifeboat: 'file' })

/** Does an input's schema say that it is a file? */
export function isFileInput(schema: z.ZodType): boolean {
  return schema.meta()?.['lifeboat'] === 'file'
}

/**
 * A text by reference: a variable of the environment (of the cloud file's `env` section where there is one) or a file, relative to
 * the runbook. A step gets the reference with a keyed digest of what it leads to, which may stand in a change; the value is
 * `ctx.secret(reference)`.
 */
export const secret = z
  .union([z.strictObject({ env: z.string().min(1) }), z.strictObject({ file: z.string().min(1) })])
  .meta({ lifeboat: 'secret' })

/** `digest` is the keyed digest of the value when the inputs were resolved: two are comparable on one machine only. */
export type SecretReference = z.infer<typeof secret> & { readonly digest?: string }

/** Full id of an Azure resource. */
export const resourceId = z
  .string()
  .regex(/^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+(\/providers\/.+)?$/i, 'a full resource id starts with /subscriptions/…')
  .describe('Full id of an Azure resource: /subscriptions/…')
