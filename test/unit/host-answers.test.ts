import { describe, expect, it } from 'vitest'
import { LifeboatError } from '../../src/contract/index.js'
import { ask, type Question } from '../../src/platform/host/ask.js'
import { exportTable, nfsState, parseExports, sameOptions, withoutExports, writeExports } from '../../src/platform/host/nfs.js'
import { importablePools, importedPools, importPool, exportPool, mount, mountedDatasets } from '../../src/platform/host/pools.js'
import type { Host } from '../../src/platform/host/run.js'
import type { SshResult } from '../../src/platform/ssh/door.js'
import { inTurn } from '../../src/platform/ssh/quote.js'

/** A host that always answers this. */
function host(answer: Partial<SshResult>, said: string[] = []): Host {
  const read = async (_at: unknown, words: readonly string[]): Promise<SshResult> => {
    said.push(words.join(' '))
    return { exitCode: 0, stdout: '', stderr: '', ...answer }
  }
  return { ssh: { read, write: (at, commands) => read(at, inTurn(commands)) }, at: { machine: '/x/nfsserver', user: 'u', key: '/k' } }
}

const failure = (promise: Promise<unknown>): Promise<LifeboatError> =>
  promise.then(
    () => new LifeboatError('none', ''),
    (error: unknown) => (error instanceof LifeboatError ? error : new LifeboatError('unexpected', String(error))),
  )
async function answer<T>(question: Question<T>, result: Partial<SshResult>): Promise<T> {
  const [said] = await ask(host(result), question)
  return said
}

describe('several questions over one connection', () => {
  it('get each its own answer and exit code', async () => {
    const said: string[] = []
    const stdout = 'pool0\t12\tONLINE\toff\nlifeboat-answered 0\ninactive\nlifeboat-answered 1\n'
    expect(await ask(host({ stdout }, said), importedPools, nfsState)).toEqual([[{ name: 'pool0', guid: '12', health: 'ONLINE' }], 'inactive'])
    expect(said).toHaveLength(1)
  })

  it('are not answered by half of an answer', async () => {
    expect((await failure(ask(host({ stdout: 'pool0\t12\tONLINE\toff\nlifeboat-answered 0\n' }), importedPools, nfsState))).code).toBe('host.unreadable')
  })
})

describe('zpool list', () => {
  it('may have nothing to show', async () => {
    expect(await answer(importedPools, { stdout: 'no pools available\n' })).toEqual([])
  })
  it.each(['pool0 12 ONLINE\n', 'pool0\tname\tONLINE\n', 'pool0\t12\n'])('is not guessed at: %j', async (stdout) => {
    expect((await failure(answer(importedPools, { stdout }))).code).toBe('host.unreadable')
  })
  it('that fails is an error, not an empty list', async () => {
    expect((await failure(answer(importedPools, { exitCode: 1, stderr: 'The ZFS modules are not loaded.\n' }))).code).toBe('host.failed')
  })
})

describe('zfs list', () => {
  it('tells what should be mounted and what is', async () => {
    const stdout = 'pool0\tyes\ton\t/pool0\t100\npool0/a\tno\tnoauto\t/pool0/a\t7\npool0/b\tno\ton\tnone\t7\n'
    const datasets = await answer(mountedDatasets, { stdout })
    expect(datasets.map(({ name, mounted, wantsMount }) => [name, mounted, wantsMount])).toEqual([
      ['pool0', true, true],
      ['pool0/a', false, false],
      ['pool0/b', false, false],
    ])
  })
})

const listing = (rows: string, extra = '') => `   pool: pool0
     id: 9464217329115420731
  state: ONLINE
${extra} action: The pool can be imported using its name or numeric identifier.
 config:

\tpool0       ONLINE
${rows}
`

describe('the listing of what could be imported', () => {
  it('gives the devices and not the groups that they are in', async () => {
    const [pool] = await answer(importablePools, { stdout: listing('\t  mirror-0  ONLINE\n\t    lun0    ONLINE\n\t    lun1    UNAVAIL  cannot open\n\tlogs\n\t  lun2      ONLINE') })
    expect(pool).toMatchObject({ name: 'pool0', guid: '9464217329115420731', exported: true })
    expect(pool?.devices).toEqual([
      { name: 'lun0', state: 'ONLINE' },
      { name: 'lun1', state: 'UNAVAIL' },
      { name: 'lun2', state: 'ONLINE' },
    ])
  })

  it('tells a pool that was never exported, and several pools apart', async () => {
    const foreign = listing('\t  lun0      ONLINE', ' status: The pool was last accessed by another system.\n')
    const other = listing('\t  lun3      ONLINE').replace('pool: pool0', 'pool: other')
    const pools = await answer(importablePools, { stdout: `${foreign}\n${other}` })
    expect(pools.map(({ name, exported }) => [name, exported])).toEqual([
      ['pool0', false],
      ['other', true],
    ])
  })

  it('is empty where there is nothing, and an error where it could not look', async () => {
    expect(await answer(importablePools, { stderr: 'no pools available to import\n' })).toEqual([])
    expect((await failure(answer(importablePools, { exitCode: 1, stderr: 'cannot discover pools: permission denied\n' }))).code).toBe('host.failed')
  })
})

describe('mounting', () => {
  const datasets = ['/a', '/a/vault', '/b'].map((mountpoint) => ({ name: `pool0${mountpoint}`, mountpoint, mounted: false, wantsMount: true, usedBytes: 0 }))
  const answering = (...answers: readonly string[]): { readonly said: string[]; readonly host: Host } => {
    const said: string[] = []
    const write: Host['ssh']['write'] = async (_at, commands) => {
      const stderr = answers[said.length] ?? ''
      said.push(inTurn(commands).join(' '))
      return { exitCode: stderr === '' ? 0 : 1, stdout: '', stderr }
    }
    return { said, host: { ...host({}), ssh: { ...host({}).ssh, write } } }
  }

  it.each(['encryption key not loaded', 'Contains partially-completed state from "zfs receive -s", which can be resumed with "zfs send -t"'])(
    'passes by what cannot be, as -a does, and mounts what comes after it: %j',
    async (why) => {
      const { said, host: at } = answering(`cannot mount 'pool0/a/vault': ${why}\n`)
      await mount(at, datasets)
      expect(said.map((one) => one.replaceAll('zfs mount ', ''))).toEqual(['pool0/a && pool0/a/vault && pool0/b', 'pool0/b'].map((one) => expect.stringContaining(one) as string))
    },
  )

  it('ends with what else keeps one from being mounted', async () => {
    const { host: at } = answering("cannot mount 'pool0/a': directory is not empty\n")
    expect((await failure(mount(at, datasets))).code).toBe('host.failed')
  })
})

describe('an import', () => {
  const pool = { guid: '12', name: 'pool0' }
  it('is never forced, and looks for data errors before anything is mounted', async () => {
    const said: string[] = []
    await importPool(host({ stdout: 'errors: No known data errors\n' }, said), pool)
    expect(said).toHaveLength(1)
    expect(said[0]).toMatch(/zpool import -N .*-o cachefile=none 12/)
    expect(said[0]).not.toMatch(/ -[A-Za-z]*[fFX]/)
    expect((await failure(importPool(host({ stdout: 'errors: 3 data errors\n' }), pool))).code).toBe('zfs.errors')
  })
  it.each([
    ["cannot import 'pool0': pool was previously in use from another system.\nLast accessed by nfsserver", 'zfs.not-exported', false],
    ["cannot import 'pool0': a pool with that name already exists\n", 'zfs.look-again', true],
    ["cannot import 'pool0': pool already exists\n", 'zfs.look-again', true],
    ["cannot import '12': no such pool available\n", 'zfs.look-again', true],
    ["cannot import 'pool0': I/O error\n", 'zfs.damaged', false],
    ["cannot import 'pool0': one or more devices is currently unavailable\n", 'zfs.import', false],
  ])('%s', async (stderr, code, retryable) => {
    const error = await failure(importPool(host({ exitCode: 1, stderr }), pool))
    expect([error.code, error.retry !== undefined]).toEqual([code, retryable])
  })
})

describe('an import of a pool whose last state cannot be read', () => {
  const stdout = '\tRecovery is possible, but will result in some data loss.\n\tshould correct the problem.  Approximately 37 seconds of data\n\tmust be discarded.\n'
  const broken = { exitCode: 1, stderr: "cannot import 'pool0': I/O error\n", stdout }

  it('is given up at once, and tells how much ZFS would throw away', async () => {
    const said: string[] = []
    const error = await failure(importPool(host(broken, said), { guid: '12', name: 'pool0' }))
    expect(said).toHaveLength(1)
    expect(error.hint).toContain('`sudo zpool import -F -N -d /dev/disk/azure/scsi1 -o cachefile=none 12` costs what was written last, for good (about 37 seconds, says ZFS)')
  })

  it('needs a proof besides where its last server has not exported it', async () => {
    const error = await failure(importPool(host(broken), { guid: '12', name: 'pool0', force: true }))
    expect(error.hint).toMatch(/`sudo zpool import -f -F -n .*`-f` only where it is proved that no other server has the disks/)
  })
})

describe('an export', () => {
  it('of a pool in use can be tried again, and says how to see who uses it', async () => {
    const error = await failure(exportPool(host({ exitCode: 1, stderr: "cannot unmount '/pool0/homes': pool or dataset is busy\n" }), 'pool0'))
    expect([error.code, error.retry !== undefined, error.hint?.includes('fuser')]).toEqual(['zfs.busy', true, true])
  })
})

describe('the NFS server', () => {
  it.each([
    ['active\n', 'active'],
    ['inactive\n', 'inactive'],
    ['failed\n', 'inactive'],
    ['deactivating\n', 'changing'],
  ])('that is %j', async (stdout, state) => {
    expect(await answer(nfsState, { stdout, exitCode: 3 })).toBe(state)
  })
  it('is unknown when systemctl says what nobody expects', async () => {
    expect((await failure(answer(nfsState, { stdout: 'Failed to connect to bus\n' }))).code).toBe('host.unreadable')
  })

  it('lists exports with long and short paths, for some and for all', async () => {
    const stdout = '/pool0/homes  \t10.0.0.0/8(sync,rw)\n/pool0/homes/data100/staging\n\t\t<world>(sync,ro)\n'
    expect(await answer(exportTable, { stdout })).toEqual([
      { path: '/pool0/homes', clients: '10.0.0.0/8', options: 'sync,rw' },
      { path: '/pool0/homes/data100/staging', clients: '*', options: 'sync,ro' },
    ])
    expect((await failure(answer(exportTable, { stdout: 'what is this\n' }))).code).toBe('host.unreadable')
  })
})

describe('export options', () => {
  const shown = 'sync,wdelay,hide,no_subtree_check,anonuid=1000,anongid=1000,sec=sys,rw,secure,root_squash,all_squash'
  it('are the same as what exportfs makes of them, in any order', () => {
    expect(sameOptions('rw,sync,no_subtree_check,all_squash,anonuid=1000,anongid=1000', shown)).toBe(true)
    expect(sameOptions('all_squash,anongid=1000,anonuid=1000,rw', shown)).toBe(true)
    const wanted = 'rw,all_squash,anonuid=1000,anongid=1000'
    // What lines of ours have besides, and the short word for it, which exportfs does not say.
    expect([wanted, `${wanted},mp`].map((one) => sameOptions(one, `${shown},mountpoint`))).toEqual([true, true])
    expect(sameOptions(`${wanted},mp=/pool0`, `${shown},mountpoint=/pool0`)).toBe(true)
  })
  it.each([
    ['ro,all_squash,anonuid=1000,anongid=1000', 'written to though it should not be'],
    ['rw,anonuid=1000,anongid=1000', 'squashed though nobody asked for it'],
    ['rw,all_squash,anonuid=0,anongid=1000', 'another anonymous user'],
    ['rw,all_squash', 'an anonymous user of its own though nobody asked for it'],
    ['rw,async,all_squash,anonuid=1000,anongid=1000', 'sync though async was asked for'],
    ['rw,all_squash,anonuid=1000,anongid=1000,crossmnt', 'an option that is missing'],
    ['rw,all_squash,anonuid=1000,anongid=1000,mp', 'unmounted, too'],
  ])('%s are not: %s', (wanted) => {
    expect(sameOptions(wanted, shown)).toBe(false)
  })
})

describe('exports that the server has in its own file', () => {
  const homes = { path: '/pool0/homes', clients: '10.0.0.0/8', options: 'rw,sync,no_subtree_check' }
  const mountpoint = '/pool0/homes'
  /** What it answers when its own file and ours are asked for, of which the latter is not there. */
  const files = (own: string): Partial<SshResult> => ({
    stdout: `${own}lifeboat-answered 0\nlifeboat-answered 1\n`,
    stderr: 'cat: /etc/exports.d/lifeboat.exports: No such file or directory\n',
  })

  it.each([
    ['/pool0/homes 10.0.0.0/8(ro)\n', ''],
    ['# Written by lifeboat.\n\n/pool0/homes 10.0.0.0/8(ro)\n', ''],
    ['/pool0/homes \\\n  10.0.0.0/8(ro) \\\n *(ro)\n/srv host', '/pool0/homes *(ro)\n/srv host\n'],
    ['/srv  \\\n  *(ro) # all\n"/a b" 10.0.0.0/8(ro)\n', '/srv  \\\n  *(ro) # all\n"/a b" 10.0.0.0/8(ro)\n'],
  ])('are taken out of %j alone', (text, left) => {
    expect(withoutExports(text, [homes])).toBe(left)
  })

  it('are read from plain lines, broken ones too', () => {
    expect(parseExports('# ours\n/pool0/homes \\\n  10.0.0.0/8(rw,sync,no_subtree_check) 192.168.0.1(ro) # both\n/srv host\n')).toEqual([
      homes,
      { path: '/pool0/homes', clients: '192.168.0.1', options: 'ro' },
    ])
  })

  it('are not written a second time, which makes exportfs fail', async () => {
    const said: string[] = []
    await writeExports(host(files('/pool0/homes 10.0.0.0/8(rw,no_subtree_check)\n'), said), [{ ...homes, mountpoint }], [])
    expect(said.filter((line) => line.includes('tee'))).toEqual([])
    expect(said.at(-1)).toContain('exportfs -ra')
  })

  it.each([
    [{ ...homes, mountpoint }, 'rw,sync,no_subtree_check,mountpoint'],
    [{ ...homes, path: '/pool0/homes/prod', mountpoint }, 'rw,sync,no_subtree_check,mountpoint=/pool0/homes'],
    [{ ...homes, options: 'rw,mp=/pool0', mountpoint }, 'rw,mp=/pool0'],
  ])('are only for what is mounted: %j', async (one, options) => {
    const said: (string | undefined)[] = []
    const answers = host(files(''))
    const write: Host['ssh']['write'] = (at, commands, given) => {
      said.push(given?.input)
      return answers.ssh.write(at, commands)
    }
    await writeExports({ ...answers, ssh: { ...answers.ssh, write } }, [one], [])
    expect(said).toEqual([`# Written by lifeboat.\n${one.path} 10.0.0.0/8(${options})\n`])
  })

  it('are left alone where they have other options, and nothing is written', async () => {
    const said: string[] = []
    const error = await failure(writeExports(host(files('/pool0/homes 10.0.0.0/8(ro)\n'), said), [{ ...homes, mountpoint }], []))
    expect([error.code, said]).toEqual(['nfs.other-options', [expect.stringMatching(/^sh -c sudo -n cat \/etc\/exports /)]])
  })
})
