import { z } from 'zod'
import type { Write } from './write.js'

/** A write as a module says it that the compiler does not know. Apart from its type: a look at runs needs no schemas. */
export const writeSchema: z.ZodType<Write> = z.union([
  z.strictObject({ method: z.enum(['PUT', 'PATCH', 'POST', 'DELETE']), path: z.string().min(1) }),
  z.strictObject({ command: z.string().min(1), on: z.string().min(1).exactOptional() }),
])
