import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { lifeboat, root, temporaryFolder } from '../helpers/cli.js'

const bin = temporaryFolder()
const state = temporaryFolder()
const runs = ['20190225-124003-data100-x7k2', '20190226-080000-minimal-ab23']

beforeAll(() => {
  writeFileSync(join(bin, 'lifeboat'), `#!/bin/sh\nexec ${process.execPath} ${join(root, 'dist/main.js')} "$@"\n`)
  chmodSync(join(bin, 'lifeboat'), 0o755)
  for (const run of runs) {
    mkdirSync(join(state, 'runs', run), { recursive: true })
    writeFileSync(join(state, 'runs', run, 'journal.ndjson'), '')
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
    expect(await offered('completion', 'z')).toEqual(['zsh'])
    expect(await offered('nonsense', '')).toEqual([])
  })
})

describe('lifeboat completion', () => {
  it.each(['bash', 'zsh', 'fish'])('prints a script that %s can read, where that shell is here', async (shell) => {
    const { code, stdout } = await lifeboat(['completion', shell]).ended
    expect(code).toBe(0)
    const read = spawnSync(shell, ['-n'], { input: stdout, encoding: 'utf8' })
    if (read.error === undefined) expect(read.stderr).toBe('')
    expect(stdout).toContain('complete')
  })

  it('refuses a shell that it does not know', async () => {
    const { code, stderr } = await lifeboat(['completion', 'csh']).ended
    expect(code).toBe(2)
    expect(stderr).toContain('bash, zsh, fish')
  })
})
