import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { root } from '../helpers/cli.js'

/** In a process of its own: what it does to Node is for good. */
const script = `
  import promises, { open, readFile, stat } from 'node:fs/promises'
  import { workOnFilesAtOnce } from ${JSON.stringify(pathToFileURL(join(root, 'dist/virtual/files.js')))}
  const underWay = () => process.getActiveResourcesInfo().filter((kind) => kind.startsWith('FSReq')).length
  const missing = ${JSON.stringify(join(root, 'not-there/at-all'))}
  const given = {
    access: [], appendFile: ['text'], chmod: [0o600], link: [missing], lstat: [], mkdir: [], mkdtemp: [], readFile: ['utf8'], readdir: [], realpath: [],
    rename: [missing], rm: [], rmdir: [], stat: [], statfs: [], unlink: [], utimes: [1, 1], writeFile: ['text'],
  }
  // What was drawn for a folder stands in its error at once, and its pattern otherwise.
  const saidOf = ({ code, syscall, message }) => ({ code, syscall, message: syscall === 'mkdtemp' ? '' : message })
  const errors = async () => {
    const said = {}
    for (const [name, rest] of Object.entries(given)) said[name] = await promises[name](missing, ...rest).then(() => 'nothing', saidOf)
    return said
  }
  // What is over is on the list until its turn has ended.
  const turn = () => new Promise(setImmediate)
  const waited = await errors()
  await turn()
  const later = stat('/')
  const before = underWay()
  await later
  await turn()
  workOnFilesAtOnce()
  const found = [stat('/'), readFile(${JSON.stringify(join(root, 'package.json'))}, 'utf8')]
  const during = underWay()
  const file = await open(${JSON.stringify(join(root, 'package.json'))})
  const opened = await readFile(file, 'utf8')
  await file.close()
  const [folder, text] = await Promise.all(found)
  console.log(JSON.stringify({ before, during, waited, atOnce: await errors(), isFolder: folder.isDirectory(), same: text === opened }))
`

describe('files in a trial', () => {
  it('are worked on at once, with the same answers and errors', () => {
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
    const { waited, atOnce, ...others } = JSON.parse(said) as Record<'waited' | 'atOnce', Record<string, unknown>>
    expect(Object.values(waited).filter((error) => error === 'nothing')).toEqual([])
    expect(atOnce).toEqual(waited)
    expect(others).toEqual({ before: 1, during: 0, isFolder: true, same: true })
  })
})
