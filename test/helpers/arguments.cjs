// Given to Node by --require, and to the workers of the tests: looks at the arguments of every process that is started, which anybody
// on a machine can read, and notes in the file that LEAKS_FOUND names those with one of the texts of LEAK_FORMS in them.
const { ChildProcess } = require('node:child_process')
const { appendFileSync } = require('node:fs')

const { LEAK_FORMS, LEAKS_FOUND } = process.env
const begin = ChildProcess.prototype.spawn

if (LEAK_FORMS !== undefined && LEAKS_FOUND !== undefined) {
  const forms = JSON.parse(LEAK_FORMS)
  ChildProcess.prototype.spawn = function spawn(options) {
    const words = options.args?.join(' ') ?? ''
    const found = forms.find((form) => words.includes(form))
    if (found !== undefined) appendFileSync(LEAKS_FOUND, `an argument of ${options.file} (begins with ${words.slice(0, 60)}) has ${found}\n`)
    return begin.call(this, options)
  }
}
