import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { data100, lifeboat, root, temporaryFolder } from '../helpers/cli.js'
import { expectFailedOver } from '../helpers/failed-over.js'
import { checkBy } from '../helpers/json-schema.js'
import { served, worldState } from '../helpers/served.js'
import { quickWorld } from '../helpers/worlds.js'

const readme = readFileSync(join(root, 'README.md'), 'utf8')
const shellLines = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) => block.split('\n'))
const commands = shellLines.map((line) => line.replace(/#.*$/, '').trim()).filter((line) => line !== '')

/** Arguments of the README's command that calls this subcommand; it must be there. */
function shown(subcommand: string): string[] {
  const command = commands.find((line) => line.startsWith(`node dist/main.js ${subcommand}`))
  expect(command, `the README shows ${subcommand}`).toBeDefined()
  return command!.split(' ').slice(2)
}

describe('the README', () => {
  it('shows no command but those that are tried here', () => {
    const tried = ['validate', 'schema', 'rehearse', 'plan', 'run', 'resume', 'undo', 'report', 'sim'].map((name) => `node dist/main.js ${name}`)
    const known = [...tried, 'npm ci && npm run rehearse', 'npm test']
    expect(commands.filter((line) => !known.some((one) => line.startsWith(one)))).toEqual([])
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(['rehearse', 'test']))
    // The two npm commands are run as they stand, on a fresh clone, by the project's own CI.
    const ci = readFileSync(join(root, '.ci/run'), 'utf8')
    expect(['npm ci', 'npm run rehearse', 'npm test'].filter((command) => !ci.includes(command))).toEqual([])
  })

  it('leads through a failover: validate, plan, run, a stop, resume', async () => {
    await using world = await served(quickWorld())
    const state = ['--state-dir', temporaryFolder()]
    const cloud = ['--cloud', world.cloudPath]
    expect((await lifeboat(shown('validate')).ended).code).toBe(0)
    const plan = await lifeboat([...shown('plan'), ...cloud]).ended
    expect([plan.code, plan.stdout.includes('First harm: fence')], plan.stderr).toEqual([0, true])

    const run = lifeboat([...shown('run'), ...cloud, ...state, '--confirm=data100', '--yes', '--json'])
    await run.until((event) => event.type === 'step.started' && event.step === 'detach')
    run.child.kill('SIGTERM')
    const stopped = await run.ended
    expect(stopped.code, stopped.stderr).toBe(143)
    expect(run.events.at(-1)).toMatchObject({ type: 'run.finished', outcome: 'interrupted' })

    const resumed = await lifeboat([...shown('resume'), ...state, '--yes']).ended
    expect(resumed.code, resumed.stderr).toBe(0)
    expectFailedOver(await worldState(world))

    const report = await lifeboat([...shown('report'), ...state]).ended
    expect([report.code, /^total .* 1\.000 {3}1\.000$/m.test(report.stdout)], report.stdout + report.stderr).toEqual([0, true])

    const undo = await lifeboat([...shown('undo'), ...state]).ended
    expect([undo.code, undo.stderr.includes('Stays as it is:')], undo.stderr).toEqual([0, true])
  })

  it('says how an editor gets the schema of a runbook', async () => {
    const args = shown('schema')
    const { code, stdout, stderr } = await lifeboat(args.slice(0, args.indexOf('>'))).ended
    expect(code, stderr).toBe(0)
    const check = checkBy(JSON.parse(stdout) as object)
    expect(check(parse(readFileSync(data100, 'utf8')))).toEqual([])
  })

  it('says how to serve a world', async () => {
    const sim = lifeboat([...shown('sim'), '--state-dir', temporaryFolder()])
    const ready = await sim.until((event) => (event.type as string) === 'sim.ready')
    expect(ready).toHaveProperty('cloud')
    sim.child.kill('SIGTERM')
    expect((await sim.ended).code).toBe(143)
  })
})
