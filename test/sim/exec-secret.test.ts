import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { lifeboat, temporaryFolder } from '../helpers/cli.js'
import { holder, planted } from '../helpers/leaks.js'
import { served } from '../helpers/served.js'
import { smallRunbook } from '../helpers/small.js'
import { cloudFile } from '../helpers/worlds.js'

const tokens = { planned: planted('as-planned'), other: planted('since-then') }

/** The first command fails until there is a key; the second is told a token. */
const steps = `
  - id: first
    uses: exec
    with:
      describe: the door is open
      observe: [sh, -c, "test -e opened && exit 0; exit 10"]
      run: [sh, -c, "test -e key && touch opened"]
  - id: tell
    uses: exec
    needs: [first]
    with:
      describe: the page is told
      observe: [sh, -c, "test -e told && exit 0; exit 10"]
      run: [sh, -c, "echo the token is $PAGE_TOKEN; echo $PAGE_TOKEN > told"]
      env: { PAGE_TOKEN: { secret: { env: PAGE_TOKEN } } }
`

function everythingIn(folder: string): string {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return files.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8')).join('\n')
}

it('a secret of a command that changes between a run and its resume stops that step, and stands nowhere but in the command', async () => {
  await using world = await served()
  const [runbook, state] = [smallRunbook(steps), temporaryFolder()]
  const folder = dirname(runbook)
  holder(join(folder, 'told'))
  const cloud = (token: string): string => cloudFile(world.cloudPath, ({ env }) => void (env['PAGE_TOKEN'] = token))
  const flags = ['--state-dir', state, '--yes', '--json']

  const run = await lifeboat(['run', runbook, '--cloud', cloud(tokens.planned), '--confirm=small', ...flags]).ended
  expect([run.code, existsSync(join(folder, 'told'))], run.stderr).toEqual([1, false])
  writeFileSync(join(folder, 'key'), '')

  cloud(tokens.other)
  const refused = await lifeboat(['resume', ...flags]).ended
  expect([refused.code, existsSync(join(folder, 'opened')), existsSync(join(folder, 'told'))], refused.stderr).toEqual([1, true, false])
  expect(refused.stdout + refused.stderr).toMatch(/this was not shown: run the page is told/)

  cloud(tokens.planned)
  const done = await lifeboat(['resume', ...flags]).ended
  expect([done.code, readFileSync(join(folder, 'told'), 'utf8')], done.stderr).toEqual([0, `${tokens.planned}\n`])
  expect(done.stdout + done.stderr).toContain('the token is ***')

  const kept = everythingIn(state)
  const said = [run, refused, done].map(({ stdout, stderr }) => stdout + stderr).join('\n')
  expect(kept).toContain('the page is told')
  for (const token of Object.values(tokens)) expect([kept.includes(token), said.includes(token)]).toEqual([false, false])
})
