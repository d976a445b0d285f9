import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { leaksBelow } from './leaks.js'
import { root } from './cli.js'

/**
 * Vitest's global set-up of every project: all that a run of the suite writes lies below one folder. In its end that is searched for
 * secrets, with the golden screens and journals, and taken away. `KEEP=1` leaves it.
 */
export default function oneFolder(): (() => Promise<void>) | undefined {
  if (process.env['LIFEBOAT_TEST_SUITE'] !== undefined) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'lifeboat-suite-'))
  process.env['LIFEBOAT_TEST_SUITE'] = folder
  process.env['TMPDIR'] = folder
  return async () => {
    const kept = ['test/golden', 'fixtures/journals', 'fixtures/rehearsals'].map((name) => join(root, name))
    const leaks = (await Promise.all([folder, ...kept].map(leaksBelow))).flat()
    if (process.env['KEEP'] === '1') process.stderr.write(`What the tests wrote is in ${folder}\n`)
    else rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
    if (leaks.length === 0) return
    // Vitest tells what is thrown here, and ends well all the same.
    process.exitCode = 1
    throw new Error(`${leaks.length} secrets are where they do not belong:\n${leaks.join('\n')}`)
  }
}
