import { Ajv2020, type AnySchema } from 'ajv/dist/2020.js'

/** A check by a JSON Schema (2020-12), as an editor's: what is wrong with a value, in the validator's words; empty if nothing is. */
export function checkBy(schema: object): (value: unknown) => readonly string[] {
  const validate = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allErrors: true }).compile(schema as AnySchema)
  return (value) => (validate(value) ? [] : (validate.errors ?? []).map(({ instancePath, message = '' }) => `${instancePath} ${message}`))
}
