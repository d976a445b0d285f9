import { execFileSync } from 'node:child_process'
import { closeSync, constants, existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { data100, lifeboat, root, temporaryFolder, type RunningCli } from '../helpers/cli.js'
import { smallRunbook } from '../helpers/small.js'
import { switched, work } from '../helpers/switched.js'
import { hasTerminals, inTerminal, keys } from '../helpers/terminal.js'
import { failedNicWorld } from '../helpers/worlds.js'

/** An environment in which every ambient setting leads to a place that must never be asked. */
function poisoned(): Record<string, string> {
  const home = temporaryFolder()
  const trap = 'https://127.0.0.1:9/'
  for (const folder of ['.kube', '.azure', '.ssh', '.config/helm']) mkdirSync(join(home, folder), { recursive: true })
  writeFileSync(join(home, '.kube/config'), 'this is no kubeconfig')
  writeFileSync(join(home, '.azure/azureProfile.json'), 'this is no profile')
  writeFileSync(join(home, '.ssh/config'), 'Host *\n  ProxyCommand /bin/false\n  BatchMode no\n')
  writeFileSync(join(home, '.ssh/id_ed25519'), 'this is no key', { mode: 0o600 })
  writeFileSync(join(home, 'kubeconfig'), 'this is no kubeconfig either')
  return {
    HOME: home,
    AZURE_TENANT_ID: 'poison',
    AZURE_CLIENT_ID: 'poison',
    AZURE_CLIENT_SECRET: 'poison',
    AZURE_AUTHORITY_HOST: trap,
    AZURE_CONFIG_DIR: join(home, '.azure'),
    KUBECONFIG: join(home, 'kubeconfig'),
    HELM_NAMESPACE: 'poison',
    HELM_DRIVER: 'memory',
    HELM_KUBECONTEXT: 'poison',
    HELM_KUBEAPISERVER: trap,
    HELM_CONFIG_HOME: join(home, '.config/helm'),
    SSH_AUTH_SOCK: join(home, 'no-agent'),
    HTTPS_PROXY: 'http://127.0.0.1:9',
    HTTP_PROXY: 'http://127.0.0.1:9',
    ALL_PROXY: 'http://127.0.0.1:9',
    LIFEBOAT_SSH_KEY: join(home, '.ssh/id_ed25519'),
  }
}

describe('lifeboat rehearse', () => {
  it('prints the event stream and nothing else, untouched by a poisoned environment, and goes the other way that was chosen in advance', async () => {
    const chosen = ['--accept', 'move=attach-across-groups', '--accept', 'detach=unheard-of']
    const flags = ['--yes', '--json', '--speed', '240', '--state-dir', temporaryFolder()]
    const cli = lifeboat(['rehearse', data100, '--world', failedNicWorld(), ...chosen, ...flags], poisoned())
    const { code, stdout, stderr } = await cli.ended
    expect(code, stderr).toBe(0)
    const lines = stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as { type: string; outcome?: string })
    expect(lines[0]).toMatchObject({ type: 'stream.opened', version: 1 })
    expect(lines.at(-1)).toMatchObject({ type: 'run.finished', outcome: 'succeeded' })
    expect(cli.events).toHaveLength(lines.length)
    const told = cli.events.flatMap((event) => (event.type === 'notice' ? [event.message] : []))
    expect(told).toEqual(['--accept detach=unheard-of was not used: detach has not offered that.'])
  })
})

const world = join(root, 'fixtures/worlds/data100.yaml')

/** Resolves once nobody serves the worlds of this state folder any more. */
async function worldsEnd(state: string): Promise<void> {
  const ports = readdirSync(join(state, 'worlds')).flatMap((name) => /127\.0\.0\.1:\d+/.exec(readFileSync(join(state, 'worlds', name, 'cloud.json'), 'utf8')) ?? [])
  for (const port of ports) while (await serves(port)) await setTimeout(50)
}

function serves(place: string): Promise<boolean> {
  const { hostname: host, port } = new URL(`tcp://${place}`)
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port) })
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}

describe('the world of a rehearsal', () => {
  it.each([1, 2])('ends with it where it ends before it has begun: Ctrl-C while it reads, %d times', async (times) => {
    const state = temporaryFolder()
    const reading = join(temporaryFolder(), 'reading')
    const looks = `[sh, -c, 'touch ${reading}; sleep 60']`
    const runbook = smallRunbook(`  - { id: rack, uses: exec, with: { run: ['true'], observe: ${looks}, describe: make it } }\n`)
    const { child, ended } = lifeboat(['rehearse', runbook, '--world', world, '--state-dir', state])
    while (!existsSync(reading)) await setTimeout(50)
    for (let time = 0; time < times; time += 1) child.kill('SIGINT')
    expect((await ended).code).toBe(130)
    // A second one may leave no time to take its folder away.
    if (times === 1) expect(readdirSync(join(state, 'worlds'))).toEqual([])
    else await worldsEnd(state)
  })

  /** A rehearsal whose world is still being read from its file; `file` goes on with that, and can be written to as long as it lives. */
  async function starting(): Promise<{ readonly state: string; readonly cli: RunningCli; readonly file: number }> {
    const state = temporaryFolder()
    const path = join(temporaryFolder(), 'world.yaml')
    execFileSync('mkfifo', [path])
    const cli = lifeboat(['rehearse', smallRunbook(work('rack')), '--world', path, '--state-dir', state])
    for (;;) {
      try {
        return { state, cli, file: openSync(path, constants.O_WRONLY | constants.O_NONBLOCK) }
      } catch (error) {
        // Nobody reads it yet.
        if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error
        await setTimeout(50)
      }
    }
  }

  it.each([1, 2])('ends at once, and leaves nothing, where it is interrupted while that world starts: Ctrl-C, %d times', async (times) => {
    const { state, cli, file } = await starting()
    for (let time = 0; time < times; time += 1) cli.child.kill('SIGINT')
    const { code, stderr } = await cli.ended
    expect(code).toBe(130)
    // A second one may come before the first has been told.
    const said = times === 1 ? /^Stopped by SIGINT before/m : /^(Stopped by SIGINT|Ended at once,) before/m
    expect(stderr).toMatch(said)
    expect(stderr).toContain('before anything was begun; nothing was changed.')
    expect(() => writeSync(file, 'x')).toThrow('EPIPE')
    expect(readdirSync(join(state, 'worlds'))).toEqual([])
    closeSync(file)
  })

  it('ends by itself where its rehearsal is killed while it starts', async () => {
    const { state, cli, file } = await starting()
    cli.child.kill('SIGKILL')
    await cli.ended
    writeSync(file, readFileSync(world))
    closeSync(file)
    const [name = ''] = readdirSync(join(state, 'worlds'))
    while (!existsSync(join(state, 'worlds', name, 'cloud.json'))) await setTimeout(50)
    await worldsEnd(state)
  })

  it.skipIf(!hasTerminals)('is left as it is by an undo that is not agreed to, and ends with one that puts all back', async () => {
    const state = temporaryFolder()
    const small = switched(work('rack') + work('hub', ['rack']))
    small.finish('rack')
    small.fail('hub')
    expect((await lifeboat(['rehearse', small.runbook, '--world', world, '--state-dir', state]).ended).code).toBe(1)
    const session = inTerminal(['undo', '--state-dir', state])
    await session.waitFor('Put back what this rehearsal has changed')
    session.type('2')
    await session.waitFor('❯ Leave it as it is')
    session.type(keys.enter)
    expect(await session.ended).toBe(3)
    expect(session.scrolled().join('\n')).toContain('Declined; nothing was changed.')

    // Nobody is there to be asked, and nothing real is touched.
    small.back('rack')
    const { code, stderr } = await lifeboat(['undo', '--state-dir', state]).ended
    expect(code, stderr).toBe(0)
    await worldsEnd(state)
  })
})
