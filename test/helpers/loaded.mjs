// Given to Node by --import: writes the address of every ECMAScript module that the program loads into the file that
// LOADED names.
import { appendFileSync } from 'node:fs'
import { register } from 'node:module'

const hook = `
import { appendFileSync } from 'node:fs'
export async function load(url, context, next) {
  appendFileSync(process.env.LOADED, url + '\\n')
  return next(url, context)
}`
appendFileSync(process.env.LOADED, '')
register(`data:text/javascript,${encodeURIComponent(hook)}`)
