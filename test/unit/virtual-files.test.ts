import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { root } from '../helpers/cli.js'

/** In a process of its own: what it does to Node is for good. */
const script = `
  import { open, readFile, stat } from 'node:fs/promises'
  import { workOnFilesAtOnce } from ${JSON.stringify(pathToFileURL(join(root, 'dist/virtual/files.js')))}
  const underWay = () => process.getActiveResourcesInfo().filter((kind) => kind.startsWith('FSReq')).length
  const later = stat('/')
  const before = underWay()
  await later
  // What is over is on the list until its turn has ended.
  await new Promise(setImmediate)
  workOnFilesAtOnce()
  const found = [stat('/'), readFile(${JSON.stringify(join(root, 'package.json'))}, 'utf8')]
  const during = underWay()
  const missing = await stat('/nowhere/at/all').catch(({ code, message }) => ({ code, message }))
  const file = await open(${JSON.stringify(join(root, 'package.json'))})
  const opened = await readFile(file, 'utf8')
  await file.close()
  const [folder, text] = await Promise.all(found)
  console.log(JSON.stringify({ before, during, missing, isFolder: folder.isDirectory(), same: text === opened }))
`

describe('files in a trial', () => {
  it('are worked on at once, with the same answers and errors', () => {
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
    const missing = { code: 'ENOENT', message: "ENOENT: no such file or directory, stat '/nowhere/at/all'" }
    expect(JSON.parse(said)).toEqual({ before: 1, during: 0, missing, isFolder: true, same: true })
  })
})
