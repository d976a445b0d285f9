import { labImage, labNeeds } from '../../src/sim/lab/image.js'
import build from './build.js'

/** Vitest's global set-up for the lab: the built CLI, and the image of the machines, made once. */
export default async function prepare(): Promise<void> {
  const needs = labNeeds(process.env)
  if (needs.length > 0) {
    const text = `The lab needs ${needs.join('; and ')}.`
    if (process.env['CI'] === 'true') throw new Error(text)
    process.stderr.write(`${text}\nIts tests are skipped.\n`)
    return
  }
  build()
  await labImage(process.env, (line) => process.stderr.write(`${line}\n`))
}
