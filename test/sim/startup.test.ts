import { spawnSync } from 'node:child_process'
import { openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { root, temporaryFolder } from '../helpers/cli.js'
import { withOneRun } from '../helpers/one-run.js'

/** What a command line loads: names of packages, and paths below `dist`. `lines`: all of it and what it says, in the order of time. */
function loadedBy(args: readonly string[]): { packages: Set<string>; ours: string[]; lines: string[] } {
  const list = join(temporaryFolder(), 'loaded')
  const hook = pathToFileURL(join(root, 'test/helpers/loaded.mjs')).href
  spawnSync(process.execPath, ['--import', hook, join(root, 'dist/main.js'), ...args], {
    env: { ...process.env, LOADED: list },
    stdio: ['ignore', 'ignore', openSync(list, 'a')],
  })
  const urls = readFileSync(list, 'utf8').split('\n')
  return {
    lines: urls,
    packages: new Set(urls.flatMap((url) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? [])),
    ours: urls.flatMap((url) => /\/dist\/(.*)$/.exec(url)?.[1] ?? []),
  }
}

describe('a command loads what it needs', () => {
  it.each([['--version'], ['--help'], ['run', '--help']])('%s %s loads commander and nothing else', (...args) => {
    const { packages, ours } = loadedBy(args)
    expect([...packages]).toEqual(['commander'])
    // The frame of the command line only, what its keyboard needs, and how great a seed may be: no room that does work.
    expect(ours.filter((path) => !/^(main|cli\/\w+|render\/(output|text|color|keyboard)|platform\/(clock\/clock|exec\/foreground)|contract\/error|gameday\/seed)\.js$/.test(path))).toEqual([])
  })

  it('what is worked with is named before the code of the command is loaded', () => {
    const { ours, lines } = loadedBy(['validate', join(root, 'runbooks/data100.yaml')])
    expect(ours).toContain('cli/validate.js')
    const [said, loaded] = ['Reading ', 'cli/validate.js'].map((text) => lines.findIndex((line) => line.includes(text)))
    expect(said).toBeGreaterThan(0)
    expect(said).toBeLessThan(loaded ?? 0)
  })

  it('what is looked for is said before the code of the command is loaded', () => {
    for (const [command, code] of [['runs', 'cli/status.js'], ['report', 'cli/report.js']] as const) {
      const { lines } = loadedBy([command, '--state-dir', withOneRun()])
      const [said, loaded] = ['Reading the runs', code].map((text) => lines.findIndex((line) => line.includes(text)))
      expect(said).toBeGreaterThan(-1)
      expect(said).toBeLessThan(loaded ?? 0)
    }
  })

  it('a look at runs needs no package at all', () => {
    for (const command of ['status', 'runs']) {
      const { packages } = loadedBy([command, '--state-dir', withOneRun()])
      expect([...packages]).toEqual(['commander'])
    }
  })

  it('validate needs no SDK of Azure, no prompts and no pipeline', () => {
    const { packages } = loadedBy(['validate', join(root, 'runbooks/data100.yaml')])
    expect(packages).toContain('zod')
    expect([...packages].filter((name) => /^@azure\/|inquirer|^listr2$/.test(name))).toEqual([])
  })
})
