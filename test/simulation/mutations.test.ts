import { describe, expect, it } from 'vitest'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { bareEnv, data100, root } from '../helpers/cli.js'
import { mutant, mutations } from '../helpers/mutants.js'

interface Simulated {
  readonly seeds: number
  readonly wrong: readonly { readonly wrong: readonly string[] }[]
}

const isAll = process.env['SIMULATE'] === 'all'
const quarter = 900_000

/** Within so many seeds a mistake must show. */
const mostSeeds = 200

describe.skipIf(!isAll)('the oracle sees a program that', () => {
  it.each(mutations.map((mutation, at) => ({ ...mutation, at })))('$does', { timeout: quarter }, async ({ at, ...mutation }) => {
    using made = mutant(mutation, `mutant-${at}`)
    const args = [made.program, 'simulate', data100, '--seeds', String(mostSeeds), '--fail-fast', '--json']
    const child = spawn(process.execPath, args, { cwd: root, env: bareEnv({}), stdio: ['ignore', 'pipe', 'ignore'] })
    let stdout = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    const [code] = (await once(child, 'close')) as [number]
    expect(code).toBe(1)
    const { seeds, wrong } = JSON.parse(stdout) as Simulated
    process.stderr.write(`${mutation.does}: seen in seed ${seeds} of ${mostSeeds}: ${wrong[0]?.wrong[0] ?? ''}\n`)
    expect(wrong).not.toEqual([])
  })
})
