import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LifeboatError } from '../../src/contract/index.js'
import { knownHosts, sshConfig, wayInto, type ConfigFacts } from '../../src/platform/ssh/config.js'
import { sshError, sudoRefusal } from '../../src/platform/ssh/errors.js'
import { quoteWords } from '../../src/platform/ssh/quote.js'
import { tempFolder } from '../helpers/temp-folder.js'

const facts: ConfigFacts = {
  host: { vmId: '1f2e', network: '/n', address: '10.240.0.7', hostKeys: ['ssh-ed25519 AAAAC3Nza root@nfsserver'] },
  login: { user: 'hubadmin', key: '/keys/id' },
  via: { jump: { host: '127.0.0.1', port: 2222, user: 'operator', hostKey: 'ssh-ed25519 AAAAB3 jump' } },
  jumpKey: undefined,
  knownHosts: '/run/known_hosts',
}

/** What ssh makes of a configuration. */
function understood(config: string, host: string): string {
  const file = join(tempFolder(), 'config')
  writeFileSync(file, config)
  return execFileSync('ssh', ['-F', file, '-G', host], { encoding: 'utf8' })
}

const codeOf = (work: () => unknown): string => {
  try {
    work()
    return 'none'
  } catch (error) {
    return error instanceof LifeboatError ? error.code : String(error)
  }
}

describe('words for the remote shell', () => {
  it('arrive there as they were, whatever is in them', () => {
    const word = fc.string({ unit: 'binary', maxLength: 12 }).map((text) => text.replaceAll('\0', ''))
    fc.assert(
      fc.property(fc.array(fc.oneof(word, fc.constantFrom("'", '$HOME', '`id`', '*', '~', '\n', '-n', '"\\"', '!x')), { minLength: 1, maxLength: 6 }), (words) => {
        const out = execFileSync('/bin/sh', ['-c', `printf '%s\\0' ${quoteWords(words)}`], { encoding: 'buffer' })
        expect(out.toString('utf8').split('\0').slice(0, -1)).toEqual(words.map((one) => Buffer.from(one, 'utf8').toString('utf8')))
      }),
      { numRuns: 60 },
    )
  })
})

describe('the configuration that ssh gets', () => {
  it('goes to a public address only where it goes there directly, and asks for the same host key', () => {
    const host = { ...facts.host, publicAddress: '198.51.100.9' }
    const hostOf = (changes: Partial<ConfigFacts>): string => /HostName (\S+)\n {2}HostKeyAlias 1f2e/.exec(sshConfig({ ...facts, ...changes }))?.[1] ?? ''
    expect([hostOf({ host }), hostOf({ host, via: 'direct' }), hostOf({ via: 'direct' })]).toEqual(['10.240.0.7', '198.51.100.9', '10.240.0.7'])
  })

  it('is what ssh itself understands', () => {
    const config = sshConfig(facts)
    const shown = understood(config, 'machine')
    for (const line of [
      'hostname 10.240.0.7',
      'hostkeyalias 1f2e',
      'user hubadmin',
      'identityfile /keys/id',
      'proxyjump jump',
      'userknownhostsfile /run/known_hosts',
      'globalknownhostsfile /dev/null',
      'stricthostkeychecking true',
      'identitiesonly yes',
      'identityagent none',
      'batchmode yes',
      'controlmaster false',
      'forwardagent no',
    ]) {
      expect(shown.split('\n'), line).toContain(line)
    }
    const jump = understood(config, 'jump')
    for (const line of ['hostname 127.0.0.1', 'port 2222', 'user operator', 'hostkeyalias jump', 'identityagent none', 'identityfile /keys/id']) {
      expect(jump.split('\n'), line).toContain(line)
    }
  })

  it('knows each host by the key that belongs to it, and no other', () => {
    expect(knownHosts(facts.host, facts.via)).toBe('1f2e ssh-ed25519 AAAAC3Nza\njump ssh-ed25519 AAAAB3\n')
    expect(knownHosts(facts.host, 'direct')).toBe('1f2e ssh-ed25519 AAAAC3Nza\n')
  })

  it('goes directly where the cloud file says so', () => {
    expect(sshConfig({ ...facts, via: 'direct' })).not.toMatch(/jump/i)
  })

  it.each([
    ['a user with a directive in it', { login: { user: 'x\n  ProxyCommand evil', key: '/k' } }],
    ['a user that looks like an option', { login: { user: '-oProxyCommand=evil', key: '/k' } }],
    ['a key path with quotes', { login: { user: 'x', key: '/k" \n' } }],
    ['an address of two words', { host: { ...facts.host, address: '10.0.0.1 10.0.0.2' } }],
  ])('refuses %s', (_, change) => {
    expect(codeOf(() => sshConfig({ ...facts, ...change }))).toBe('ssh.config')
  })

  it('takes a path with blanks and percent signs as it is', () => {
    const config = sshConfig({ ...facts, login: { user: 'x', key: '/my keys/50%' } })
    const shown = understood(config, 'machine')
    expect(shown).toContain('identityfile /my keys/50%%')
  })

  it('refuses what is no key of a host', () => {
    expect(codeOf(() => knownHosts({ ...facts.host, hostKeys: ['no key\nevil'] }, 'direct'))).toBe('ssh.host-key')
  })

  it('finds the way into a network without regard to case, and says when there is none', () => {
    const way = { network: '/Subscriptions/A', via: 'direct' as const }
    expect(wayInto('/subscriptions/a', [way])).toBe(way)
    expect(codeOf(() => wayInto('/other', [way]))).toBe('ssh.no-way')
  })
})

describe('what ssh says when it fails', () => {
  const failed = (stderr: string) => ({ exitCode: 255, stdout: '', stderr })
  it.each([
    ['@@@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @@@\nHost key verification failed.', false, 'ssh.host-key', false],
    ['hubadmin@1f2e: Permission denied (publickey).', false, 'ssh.denied', false],
    ['ssh: connect to host 127.0.0.1 port 22: Connection refused', false, 'ssh.unreachable', true],
    ['channel 0: open failed: connect failed: \nstdio forwarding failed', true, 'ssh.unreachable', true],
    ['client_loop: send disconnect: Broken pipe', true, 'ssh.interrupted', true],
    ['Connection to 10.240.0.7 closed by remote host.', false, 'ssh.unreachable', true],
    ['Bad owner or permissions on /x/config', false, 'ssh.config', false],
  ])('%s', (stderr, wrote, code, retryable) => {
    const error = sshError('nfsserver', failed(stderr), wrote)
    expect([error.code, error.retry !== undefined]).toEqual([code, retryable])
  })

  it('tells sudo’s refusal from the command’s own failure', () => {
    expect(sudoRefusal('s', { exitCode: 1, stdout: '', stderr: 'sudo: a password is required\n' })?.code).toBe('ssh.sudo')
    expect(sudoRefusal('s', { exitCode: 1, stdout: '', stderr: 'sudo: unable to resolve host s\nother failure\n' })).toBeUndefined()
  })
})
