// Given to Node by --require, and to the workers of the tests. Notes in the file that LEAKS_FOUND names where one of the texts of
// LEAK_FORMS is: in the arguments of a process that is started, which anybody on a machine can read, and in the folder of a trial
// (`simulate`, `crash-test`, game days), which is gone before the suite is searched.
const { ChildProcess } = require('node:child_process')
const { appendFileSync, existsSync, promises, readdirSync, readFileSync } = require('node:fs')
const { syncBuiltinESMExports } = require('node:module')
const { join } = require('node:path')

const { LEAK_FORMS, LEAKS_FOUND } = process.env
const begin = ChildProcess.prototype.spawn
const remove = promises.rm

function watch(forms, note) {
  const formIn = (text) => forms.find((form) => text.includes(form))

  ChildProcess.prototype.spawn = function spawn(options) {
    const words = options.args?.join(' ') ?? ''
    const found = formIn(words)
    if (found !== undefined) note(`an argument of ${options.file} (begins with ${words.slice(0, 60)}) has ${found}`)
    return begin.call(this, options)
  }

  // At once, not by promises: in a trial time passes only while nobody reads.
  const search = (folder) => {
    // A world's own folder has its keys; credentials of a run lie in a private one.
    if (existsSync(join(folder, 'cloud.json'))) return
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name)
      if (entry.isDirectory() && entry.name !== 'private') search(path)
      const found = entry.isFile() ? formIn(readFileSync(path)) : undefined
      if (found !== undefined) note(`${path} has ${found}`)
    }
  }
  promises.rm = async function rm(path, options) {
    if (/\/lifeboat-trial-[^/]+$/.test(String(path)) && existsSync(path)) search(String(path))
    return remove(path, options)
  }
  syncBuiltinESMExports()
}

if (LEAK_FORMS !== undefined && LEAKS_FOUND !== undefined) watch(JSON.parse(LEAK_FORMS), (line) => appendFileSync(LEAKS_FOUND, `${line}\n`))
