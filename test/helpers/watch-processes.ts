import { createRequire } from 'node:module'
import { watchingProcesses } from './leaks.js'

// Vitest's set-up of each worker: processes that tests start themselves, by our doors, are looked at like those of the CLI.
const { LEAK_FORMS, LEAKS_FOUND } = watchingProcesses()
if (LEAK_FORMS !== undefined && LEAKS_FOUND !== undefined) {
  Object.assign(process.env, { LEAK_FORMS, LEAKS_FOUND })
  createRequire(import.meta.url)('./watched.cjs')
}
