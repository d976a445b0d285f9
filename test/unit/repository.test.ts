import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, extname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')
const notOurs = new Set(['.git', 'node_modules', 'dist', 'coverage'])

/** Every file of the repository, relative to its top. */
function filesUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return notOurs.has(entry.name) ? [] : filesUnder(path)
    return entry.isFile() && extname(path) !== '.log' ? [relative(root, path)] : []
  })
}

const files = filesUnder(root)
const text = (path: string): string => readFileSync(join(root, path), 'utf8')

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
}
const manifest = JSON.parse(text('package.json')) as Manifest

/** Packages imported by name, as static or dynamic imports. */
function importedIn(paths: readonly string[]): Set<string> {
  const imported = new Set<string>()
  for (const path of paths) {
    for (const [, name] of text(path).matchAll(/(?:from|import) ?\(?['"]((?:@[\w.-]+\/)?[\w.-]+)/g)) {
      if (name !== undefined) imported.add(name)
    }
  }
  return imported
}

describe('the repository', () => {
  it('has every room of the house', () => {
    const rooms = ['cli', 'contract', 'runbook', 'engine', 'journal', 'steps', 'platform', 'render', 'sim', 'virtual', 'gameday']
    expect(rooms.filter((room) => !files.some((file) => file.startsWith(`src/${room}/`)))).toEqual([])
    expect(['src/main.ts', 'runbooks/data100.yaml', 'fixtures/worlds/data100.yaml'].filter((path) => !existsSync(join(root, path)))).toEqual([])
  })

  it('has no source file that is longer than 400 lines', () => {
    const sources = files.filter((file) => file.startsWith('src/') || (file.startsWith('test/') && file.endsWith('.ts')))
    expect(sources.filter((file) => text(file).split('\n').length > 401)).toEqual([])
  })

  it('locks packages without naming the host they came from', () => {
    const lock = text('package-lock.json')
    expect([...lock.matchAll(/"resolved": "(?:git\+)?(?:https?|ssh):[^"]*"/g)].map(([match]) => match)).toEqual([])
  })

  it('names no folder of the machine it is developed on', () => {
    // A clone at the top of a standard folder has a parent that files may name for good reasons.
    const standard = new Set(['/', '/home', '/opt', '/root', '/srv', '/tmp', '/var', '/usr', '/mnt', '/builds', tmpdir(), homedir()])
    const folders = [root, dirname(root)].filter((folder) => !standard.has(folder))
    expect(files.filter((file) => folders.some((folder) => text(file).includes(`${folder}/`)))).toEqual([])
  })

  it('depends on nothing that it does not use', () => {
    const production = importedIn(files.filter((file) => file.startsWith('src/') && file.endsWith('.ts')))
    expect(Object.keys(manifest.dependencies).filter((name) => !production.has(name))).toEqual([])
    // Tools are named where they are called, types where what they describe is imported.
    const mentions = files.filter((file) => file !== 'package-lock.json' && file !== 'package.json' && /\.(ts|mjs|cjs|js|json)$/.test(file))
    const others = [...mentions.map(text), JSON.stringify((JSON.parse(text('package.json')) as { scripts: unknown }).scripts)].join('\n')
    const commands: Readonly<Record<string, string>> = { typescript: 'tsc', 'dependency-cruiser': 'depcruise', 'oxlint-tsgolint': 'oxlint' }
    const unused = Object.keys(manifest.devDependencies)
      .filter((name) => !name.startsWith('@types/'))
      .filter((name) => !others.includes(commands[name] ?? name))
    expect(unused).toEqual([])
  })

  it('has commands that go on with a run made only where its state folder is known, so that each can be copied', () => {
    const said = (path: string): boolean => text(path).split('\n').some((line) => !/^\s*(\*|\/\/|\/\*)/.test(line) && /lifeboat (resume|status|undo|runs)\b/.test(line))
    const makers = files.filter((file) => /^src\/.*\.ts$/.test(file) && !file.startsWith('src/sim/') && said(file))
    // The help names commands in general; the folder of runs is told what lists it.
    expect(makers).toEqual(['src/cli/help.ts', 'src/journal/folder.ts'])
  })

  it('has a licence', () => {
    expect(text('LICENSE')).toMatch(/^MIT License\n/)
  })
})
