import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { data100, lifeboat, root, temporaryFolder } from '../helpers/cli.js'
import { checkBy } from '../helpers/json-schema.js'
import { commands, shown } from '../helpers/readme.js'

const isTrial = (line: string): boolean => / (crash-test|simulate|gameday) /.test(line)
const isRehearsal = (line: string): boolean => line.startsWith('node dist/main.js rehearse ')

describe('the README', () => {
  it('shows no command but those that are tried here, and by failover.test.ts', () => {
    const byFailover = ['validate runbooks/data100.yaml', 'plan runbooks/data100.yaml', 'run runbooks/data100.yaml', 'resume', 'undo --dry-run']
    const here = ['schema runbooks/data100.yaml > runbook.schema.json', 'sim --world fixtures/worlds/data100.yaml --speed 30', 'report --fidelity']
    const known = [...byFailover, ...here].map((words) => `node dist/main.js ${words}`)
    const others = commands.filter((line) => !isTrial(line) && !isRehearsal(line) && !known.includes(line))
    expect(others).toEqual(['npm ci && npm run rehearse', 'npm test'])
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(['rehearse', 'test']))
    // The two npm commands are run as they stand, on a fresh clone, by the project's own CI.
    const ci = readFileSync(join(root, '.ci/run'), 'utf8').replaceAll(/^ *#.*$/gm, '')
    expect(['npm ci', 'npm run rehearse', 'npm test'].filter((command) => !ci.includes(command))).toEqual([])
  })

  it('says how an editor gets the schema of a runbook', async () => {
    const args = shown('schema')
    const { code, stdout, stderr } = await lifeboat(args.slice(0, args.indexOf('>'))).ended
    expect(code, stderr).toBe(0)
    const check = checkBy(JSON.parse(stdout) as object)
    expect(check(parse(readFileSync(data100, 'utf8')))).toEqual([])
  })

  it.runIf(process.env['SITES'] === 'all').each(commands.filter(isRehearsal))('says how to rehearse: %s', async (line) => {
    const { code, stderr } = await lifeboat([...line.split(' ').slice(2), '--speed', '240', '--yes', '--json', '--state-dir', temporaryFolder()]).ended
    expect(code, stderr).toBe(0)
  })

  it.each(commands.filter(isTrial))('says how to try a runbook: %s', async (line) => {
    const { code, stdout, stderr } = await lifeboat(line.split(' ').slice(2)).ended
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(/, 0 did not|; 0 seeds went wrong|1 passed, 0 failed/)
  })

  it('says how to serve a world', async () => {
    const sim = lifeboat([...shown('sim'), '--state-dir', temporaryFolder()])
    const ready = await sim.until((event) => (event.type as string) === 'sim.ready')
    expect(ready).toHaveProperty('cloud')
    sim.child.kill('SIGTERM')
    expect((await sim.ended).code).toBe(143)
  })
})
