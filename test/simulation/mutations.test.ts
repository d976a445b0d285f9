import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bareEnv, root } from '../helpers/cli.js'
import { mutant, mutations } from '../helpers/mutants.js'

interface Simulated {
  readonly seeds: number
  readonly wrong: readonly { readonly wrong: readonly string[] }[]
}

const isAll = process.env['SIMULATE'] === 'all'
const quarter = 900_000

/** Within so many seeds of a runbook a mistake must show, and none without one: else nothing would be shown by either. */
const mostSeeds = { data100: 60, 'hubs-many': 1, 'two-pools': 160, 'silent-server': 60 } as const
type Played = keyof typeof mostSeeds

/** Storage alone, which is quick; nobody has such sites. */
const made: readonly Played[] = ['two-pools', 'silent-server']

/** Plays those seeds with that program, until one goes wrong. */
async function played(program: string, runbook: Played): Promise<Simulated> {
  const args = [program, 'simulate', join(root, made.includes(runbook) ? 'fixtures/trials' : 'runbooks', `${runbook}.yaml`), '--seeds', String(mostSeeds[runbook]), '--fail-fast', '--json']
  const child = spawn(process.execPath, args, { cwd: root, env: bareEnv({}), stdio: ['ignore', 'pipe', 'ignore'] })
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  await once(child, 'close')
  return JSON.parse(stdout) as Simulated
}

describe.skipIf(!isAll)('the oracle', () => {
  it.each(Object.keys(mostSeeds) as Played[])('has nothing to say of the program as it is, at %s', { timeout: quarter }, async (runbook) => {
    expect(await played(join(root, 'dist/main.js'), runbook)).toMatchObject({ seeds: mostSeeds[runbook], wrong: [] })
  })

  it.each(mutations.map((mutation, number) => ({ ...mutation, number })))('sees one that $does', { timeout: quarter }, async ({ number, ...mutation }) => {
    const at: Played = mutation.at ?? 'data100'
    using made = mutant(mutation, `mutant-${number}`)
    const { seeds, wrong } = await played(made.program, at)
    process.stderr.write(`${mutation.does}: seen in seed ${seeds} of ${mostSeeds[at]}: ${wrong[0]?.wrong[0] ?? ''}\n`)
    expect(wrong[0]?.wrong).toContainEqual(expect.stringMatching(mutation.sees))
  })
})

describe('a seed that goes wrong', () => {
  it('says by which command it is played again, and that plays the same', { timeout: quarter }, async () => {
    const [mutation] = mutations.filter(({ does }) => does === 'journals no intent of what it does on a server by ssh')
    using made = mutant(mutation!, 'mutant-replayed')
    const told = (args: readonly string[]) => spawnSync(process.execPath, [made.program, ...args], { cwd: root, env: bareEnv({}), encoding: 'utf8' })
    const wrongIn = ({ stdout, stderr }: { readonly stdout: string; readonly stderr: string }): string | undefined =>
      /^seed \d+ .*went wrong:\n(?: {2}.*\n)+/m.exec(stdout + stderr)?.[0].replaceAll(/(lifeboat-trials?)-\w+/g, '$1')
    const first = told(['simulate', join(root, 'fixtures/trials/two-pools.yaml'), '--seeds', '20', '--fail-fast'])
    const [, again = ''] = /^To play it again: lifeboat (simulate .* --seeds 1 --from \d+)$/m.exec(first.stdout + first.stderr) ?? []
    const second = told(again.split(' '))
    expect([first.status, second.status]).toEqual([1, 1])
    expect(wrongIn(first)).toContain('written without an intent')
    expect(wrongIn(second)).toBe(wrongIn(first))
  })
})
