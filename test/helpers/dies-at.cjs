// Given to the built CLI by --require, beside watched.cjs. Tells each program that it starts in the file that CHILDREN_TOLD names, and
// sends this process a SIGKILL at the moment that KILLED_AT tells, if it is one that only the process itself can keep exactly: a
// record of its journal, before it is written or once it stands there, and a child that it has just started. Nothing else is other
// than with people: from outside such a signal would come some milliseconds, and several calls, too late.
const { ChildProcess } = require('node:child_process')
const { appendFileSync, promises } = require('node:fs')
const { syncBuiltinESMExports } = require('node:module')

const { KILLED_AT, CHILDREN_TOLD } = process.env
const moment = KILLED_AT === undefined ? {} : JSON.parse(KILLED_AT)
let met = 0

const die = () => process.kill(process.pid, 'SIGKILL')
const isMoment = (kind, what) => moment.kind === kind && moment.what === what && (met += 1) === moment.n

/** The same in every run: no paths of temporary folders. */
const plain = (text) => text.replace(/[^\s=]*\/lifeboat-[^\s]*/g, '…')

const begin = ChildProcess.prototype.spawn
ChildProcess.prototype.spawn = function spawn(options) {
  const started = begin.call(this, options)
  const what = plain(options.args?.join(' ') ?? options.file)
  if (CHILDREN_TOLD !== undefined) appendFileSync(CHILDREN_TOLD, `${JSON.stringify(what)}\n`)
  if (isMoment('child', what)) die()
  return started
}

const recordOf = (line) => {
  const { type, data } = JSON.parse(line)
  return 'step' in data ? `${type} ${data.step}` : type
}

const { open } = promises
promises.open = async function openWatched(path, ...rest) {
  const handle = await open(path, ...rest)
  if (!String(path).endsWith('/journal.ndjson')) return handle
  const append = handle.appendFile
  // Records that wait for the disk together come as one text: those that stand before the moment are written, and those after it not.
  handle.appendFile = async function appendFile(text, ...how) {
    let written = ''
    for (const line of String(text).split(/(?<=\n)/)) {
      const isIt = isMoment('journal', recordOf(line))
      if (!isIt || moment.when === 'after') written += line
      if (!isIt) continue
      if (written !== '') await append.call(handle, written, ...how)
      die()
    }
    return append.call(handle, text, ...how)
  }
  return handle
}
syncBuiltinESMExports()
