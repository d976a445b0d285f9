import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { data100, lifeboat, temporaryFolder } from '../helpers/cli.js'
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
    const flags = ['--yes', '--json', '--speed', '120', '--state-dir', temporaryFolder()]
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
