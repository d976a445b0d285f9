import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bareEnv, data100, root } from '../helpers/cli.js'
import { mutant, mutations } from '../helpers/mutants.js'

interface Simulated {
  readonly seeds: number
  readonly wrong: readonly { readonly wrong: readonly string[] }[]
}

const isAll = process.env['SIMULATE'] === 'all'
const quarter = 900_000

/** Within so many seeds a mistake must show, and none without one: else nothing would be shown by either. */
const mostSeeds = 40

/** Plays those seeds with that program, until one goes wrong. */
async function played(program: string): Promise<Simulated> {
  const args = [program, 'simulate', data100, '--seeds', String(mostSeeds), '--fail-fast', '--json']
  const child = spawn(process.execPath, args, { cwd: root, env: bareEnv({}), stdio: ['ignore', 'pipe', 'ignore'] })
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  await once(child, 'close')
  return JSON.parse(stdout) as Simulated
}

describe.skipIf(!isAll)('the oracle', () => {
  it('has nothing to say of the program as it is', { timeout: quarter }, async () => {
    expect(await played(join(root, 'dist/main.js'))).toMatchObject({ seeds: mostSeeds, wrong: [] })
  })

  it.each(mutations.map((mutation, at) => ({ ...mutation, at })))('sees one that $does', { timeout: quarter }, async ({ at, ...mutation }) => {
    using made = mutant(mutation, `mutant-${at}`)
    const { seeds, wrong } = await played(made.program)
    process.stderr.write(`${mutation.does}: seen in seed ${seeds} of ${mostSeeds}: ${wrong[0]?.wrong[0] ?? ''}\n`)
    expect(wrong).not.toEqual([])
  })
})
