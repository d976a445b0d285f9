import { z } from 'zod'

type Kinds = Readonly<Record<string, z.ZodType>>

/** The one key of a mapping, and what stands under it. */
export type One<S extends Kinds> = { [K in keyof S]: { readonly kind: K; readonly with: z.output<S[K]> } }[keyof S]

/** A mapping with exactly one of these keys. `what` they are, for messages. */
export function oneOf<S extends Kinds>(kinds: S, what: string) {
  return z
    .strictObject(kinds)
    .partial()
    .refine((given) => Object.keys(given).length <= 1, `exactly one ${what} is named here`)
    // Not before what is unknown has been complained of: that is the better word for a slip of the pen.
    .transform((given, context): One<S> => {
      const [[kind, value] = []] = Object.entries(given)
      if (kind === undefined && context.issues.length === 0) context.issues.push({ code: 'custom', input: given, message: `no ${what} is named here` })
      return { kind, with: value } as One<S>
    })
}
