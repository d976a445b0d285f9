import { spawnSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { StateFolder } from '../../src/journal/index.js'
import { lifeboat, root, temporaryFolder } from '../helpers/cli.js'
import { planned, started, ticking } from '../helpers/journal-samples.js'
import { hasTerminals, inTerminal } from '../helpers/terminal.js'

const bin = temporaryFolder()
const state = temporaryFolder()
const runs = ['20190225-124003-data100-x7k2', '20190226-080000-minimal-ab23']

beforeAll(async () => {
  writeFileSync(join(bin, 'lifeboat'), `#!/bin/sh\nexec ${process.execPath} ${join(root, 'dist/main.js')} "$@"\n`)
  chmodSync(join(bin, 'lifeboat'), 0o755)
  for (const run of runs) {
    // Begun, and not at its end: a resume can mean it.
    const journal = await new StateFolder(state).create(run, ticking())
    await journal.append('run.started', started)
    await journal.append('run.planned', planned)
    await journal.close()
  }
  writeFileSync(join(state, 'site.yaml'), '')
})

/** What bash offers when Tab is pressed behind this line, by the script as it is printed. */
async function offered(...words: readonly string[]): Promise<string[]> {
  const { stdout: script } = await lifeboat(['completion', 'bash']).ended
  const press = 'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _lifeboat "$1"; printf \'%s\\n\' "${COMPREPLY[@]}"'
  const env = { PATH: `${bin}:${process.env['PATH'] ?? ''}`, HOME: '/nonexistent', LIFEBOAT_STATE_DIR: state }
  const { stdout, stderr } = spawnSync('bash', ['-c', `${script}\n${press}`, 'bash', 'lifeboat', ...words], { cwd: state, env, encoding: 'utf8' })
  expect(stderr.replace(/.*compopt.*\n/g, '')).toBe('')
  return stdout.split('\n').filter((line) => line !== '')
}

describe('the Tab key in bash', () => {
  it('offers commands, and what they begin with', async () => {
    expect(await offered('')).toEqual(expect.arrayContaining(['run', 'resume', 'rehearse', 'status', 'completion']))
    expect(await offered('')).not.toContain('complete')
    expect(await offered('re')).toEqual(expect.arrayContaining(['resume', 'rehearse']))
  })

  it('offers runs where a run belongs, from the state folder of that line', async () => {
    expect(await offered('status', '')).toEqual([...runs].reverse())
    expect(await offered('resume', '--yes', '20190225')).toEqual([runs[0]])
    expect(await offered('resume', '--state-dir', '/nonexistent', '')).toEqual([])
  })

  it('offers options that are not there yet, files where a file belongs, and nothing where nobody can know', async () => {
    expect(await offered('run', '--d')).toEqual(['--dry-run', '--debug'])
    expect(await offered('run', '--debug', '--d')).toEqual(['--dry-run'])
    expect(await offered('run', 'si')).toEqual(['site.yaml'])
    expect(await offered('plan', 'site.yaml', '--cloud', 'si')).toEqual(['site.yaml'])
    expect(await offered('run', '--confirm', '')).toEqual([])
    expect(await offered('run', '--gate', '')).toEqual(['auto', 'ask'])
    expect(await offered('completion', 'z')).toEqual(['zsh'])
    expect(await offered('nonsense', '')).toEqual([])
  })
})

/** Skipped on a machine without it; where CI says that it has everything, it is missed. */
const has = (shell: string): boolean => process.env['CI'] === 'true' || spawnSync(shell, ['--version']).error === undefined
const shellEnv = { PATH: `${bin}:${process.env['PATH'] ?? ''}`, LIFEBOAT_STATE_DIR: state }

describe.skipIf(!has('fish'))('the Tab key in fish', () => {
  /** What fish itself makes of a line: it asks the script, and files are its own. */
  async function offered(line: string): Promise<string[]> {
    const { stdout: script } = await lifeboat(['completion', 'fish']).ended
    const env = { ...shellEnv, HOME: temporaryFolder() }
    const command = 'source $argv[1]; complete -C $argv[2]'
    const path = join(temporaryFolder(), 'lifeboat.fish')
    writeFileSync(path, script)
    const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', command, path, line], { cwd: state, env, encoding: 'utf8' })
    expect(stderr).toBe('')
    return stdout.split('\n').filter((one) => one !== '').sort()
  }

  it('offers commands, options, runs and files, each where it belongs, and else nothing', async () => {
    expect(await offered('lifeboat re')).toEqual(['rehearse', 'report', 'resume'])
    expect(await offered('lifeboat run --debug --d')).toEqual(['--dry-run'])
    expect(await offered('lifeboat status ')).toEqual(runs)
    expect(await offered('lifeboat resume --state-dir /nonexistent ')).toEqual([])
    expect(await offered('lifeboat plan site.yaml --cloud si')).toEqual(['site.yaml'])
    expect(await offered('lifeboat run --confirm ')).toEqual([])
  })
})

describe.skipIf(!has('zsh') || !hasTerminals)('the Tab key in zsh', () => {
  it('completes commands, options, runs and files, each where it belongs', async () => {
    const folder = temporaryFolder()
    const shell = inTerminal(['-f', '-i'], { program: ['zsh'], env: { ...shellEnv, HOME: folder } })
    // -D: what it finds out is kept nowhere. The prompt stands in a line of its own, so that what was typed is told from it.
    shell.type(`cd ${state}; autoload -U compinit; compinit -u -D; source <(lifeboat completion zsh); PS1='%# '; clear; echo ready\r`)
    await shell.waitFor(/^ready$/m)
    /** The line after Tab was pressed behind it; then it is wiped. */
    const completed = async (line: string, shown: RegExp): Promise<void> => {
      shell.type(`${line}\t`)
      await shell.waitFor(shown)
      shell.type('\u0015\u000c')
      await shell.waitFor(/^[#%]$/m)
    }
    await completed('lifeboat stat', /lifeboat status$/m)
    await completed('lifeboat run --dr', /lifeboat run --dry-run$/m)
    await completed('lifeboat resume 20190226', /lifeboat resume 20190226-080000-minimal-ab23$/m)
    await completed('lifeboat plan site.yaml --cloud si', /--cloud site\.yaml$/m)
    // Two fit: what they share is filled in, and they are listed.
    shell.type('lifeboat status \t')
    await shell.waitFor(/lifeboat status 2019022$/m)
    shell.type('\t')
    await shell.waitFor(new RegExp(`${String(runs[0])} +${String(runs[1])}`))
    shell.type('\u0015')
    shell.type('exit\r')
    expect(await shell.ended).toBe(0)
  })
})

describe('lifeboat completion', () => {
  it.each(['bash', 'zsh', 'fish'])('prints a script that %s can read, where that shell is here', async (shell) => {
    const isHere = has(shell)
    const { code, stdout } = await lifeboat(['completion', shell]).ended
    expect(code).toBe(0)
    const path = join(temporaryFolder(), 'script')
    writeFileSync(path, stdout)
    const read = spawnSync(shell, ['-n', path], { encoding: 'utf8' })
    if (isHere) expect(read).toMatchObject({ status: 0, stderr: '' })
    expect(stdout).toContain('complete')
  })

  it('refuses a shell that it does not know', async () => {
    const { code, stderr } = await lifeboat(['completion', 'csh']).ended
    expect(code).toBe(2)
    expect(stderr).toContain('bash, zsh, fish')
  })
})
