import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { data100, lifeboat, temporaryFolder } from '../helpers/cli.js'
import { writeChart } from '../helpers/kube.js'
import { planted } from '../helpers/leaks.js'
import { foundIn, overhear } from '../helpers/overheard.js'
import { served } from '../helpers/served.js'
import { cloudFile, quickWorld } from '../helpers/worlds.js'

/** Each may take as long as a whole test elsewhere, on a busy machine. */
const sixCommands = 6 * 60_000

const helmValue = planted('helm-value')
const ofCommand = planted('of-the-command')

/** What a chart does with a secret, at its worst: in a Secret, in plain sight of an object, and in its notes. */
const templates = {
  'secret.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: { name: s }\nstringData: { token: {{ .Values.token | quote }} }\n',
  'plain.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: c }\ndata: { token: {{ .Values.token | quote }} }\n',
  'NOTES.txt': 'Your token is {{ .Values.token }}\n',
}

/** Tells what it was trusted with to everybody, and fails the first time. */
const loud = `#!/bin/sh
echo "my token is $TOKEN"; echo "and once more: $TOKEN" >&2
[ "$1" = look ] && { [ -e done ] && exit 0; exit 10; }
[ "$1" = back ] && { rm -f done; exit 0; }
[ -e tried ] || { : > tried; exit 1; }
: > done
`

/** data100 up to its cluster, the fence on the old server, a release with a secret, and a command with another. */
function runbookIn(folder: string): string {
  const { apiVersion, azure, vars, steps } = parse(readFileSync(data100, 'utf8')) as { apiVersion: string; azure: unknown; vars: unknown; steps: { id: string; needs?: string[] }[] }
  const kept = steps.filter(({ id }) => ['group-network', 'group-cluster', 'network', 'identity', 'subnet-rights', 'cluster'].includes(id))
  const fence = { ...steps.find(({ id }) => id === 'fence'), needs: [] }
  const chart = writeChart(folder, 'web', templates, 'token: ""\n')
  const web = { cluster: '${{ steps.cluster.outputs.id }}', namespace: 'web', release: 'web', chart, secrets: { token: { env: 'HELM_TOKEN' } } }
  const command = { describe: 'it is said aloud', observe: ['./loud', 'look'], run: ['./loud', 'run'], inverse: ['./loud', 'back'], env: { TOKEN: { secret: { env: 'COMMAND_TOKEN' } } } }
  writeFileSync(join(folder, 'loud'), loud, { mode: 0o755 })
  const path = join(folder, 'one.yaml')
  const own = [{ id: 'web', uses: 'helm/release', with: web }, { id: 'loud', uses: 'exec', needs: ['web'], with: command }]
  writeFileSync(path, JSON.stringify({ apiVersion, name: 'one', azure, vars, steps: [...kept, fence, ...own] }))
  return path
}

describe('a secret', () => {
  it('is in no journal, log, stream, screen, file or argument of a plan, of a run that fails, is resumed and undone', async () => {
    await using world = await served(quickWorld(), 240)
    const cloud = cloudFile(world.cloudPath, ({ env }) => Object.assign(env, { HELM_TOKEN: helmValue, COMMAND_TOKEN: ofCommand }))
    const [state, temporary] = [temporaryFolder(), temporaryFolder()]
    const runbook = runbookIn(temporaryFolder())
    const flags = ['--state-dir', state, '--yes', '--debug']
    const onCloud = [runbook, '--cloud', cloud]
    const commands: (readonly [number, string[]])[] = [
      [0, ['plan', ...onCloud, '--state-dir', state, '--debug', '--json']],
      [1, ['run', ...onCloud, '--confirm=one', '--json', ...flags]],
      [0, ['status', '--state-dir', state, '--json']],
      [0, ['resume', ...flags, '--verbose']],
      [0, ['undo', ...flags, '--confirm=one', '--verbose']],
      [0, ['runs', '--state-dir', state]],
    ]
    const said: [string, string][] = []
    const isPrivate = (path: string): boolean => path.startsWith(join(state, 'private')) || path.startsWith(join(temporary, 'lifeboat-plan-'))
    const heard = await overhear([state, temporary], isPrivate, async () => {
      for (const [expected, args] of commands) {
        const { code, stdout, stderr } = await lifeboat(args, { TMPDIR: temporary }).ended
        said.push([`what ${args[0] ?? ''} says`, stdout + stderr])
        expect(code, stderr).toBe(expected)
      }
    })

    const keys = Object.fromEntries([...world.world.keys].map(([name, pair]) => [name, pair.private]))
    const clusters = [...heard.values()].join('\n').match(/\/subscriptions\/[^"\s]+\/managedClusters\/[\w-]+/gi) ?? []
    const tokens = Object.fromEntries([...new Set(clusters)].map((id) => [`kubeconfig of ${id}`, world.world.clusterToken(id)]))
    const wire = Object.fromEntries(world.secrets().map((secret, at) => [`token or secret ${at} of the login`, secret]))
    const secrets = { helmValue, ofCommand, ...keys, ...tokens, ...wire }
    expect(foundIn([...said, ...heard], secrets)).toEqual([])
    expect([...readdirSync(join(state, 'private')), ...readdirSync(temporary).filter((name) => name.startsWith('lifeboat-'))]).toEqual([])

    // All of them were in use, and all of these places were looked at; otherwise nothing was proved.
    const everything = [...said, ...heard].map(([, text]) => text).join('\n')
    expect(Object.keys(tokens).length).toBeGreaterThan(0)
    expect(Object.keys(wire).length).toBeGreaterThan(2)
    expect(everything).toContain('my token is ***')
    expect(everything).toContain('"withheld":')
    expect(everything).toMatch(/helm upgrade --install web/)
    expect([...heard.keys()].filter((place) => /^an argument: .*\b(helm|ssh)\b/.test(place)).length).toBeGreaterThan(0)
    expect([...heard.keys()].filter((place) => place.endsWith('log.ndjson')).every((path) => existsSync(path))).toBe(true)
  }, sixCommands)
})
