import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, temporaryFolder } from './cli.js'

/** A state folder with a run that is over. */
export function withOneRun(): string {
  const folder = temporaryFolder()
  const journal = readFileSync(join(root, 'fixtures/journals/v1-finished.ndjson'), 'utf8')
  const { run } = JSON.parse(journal.slice(0, journal.indexOf('\n'))) as { run: string }
  mkdirSync(join(folder, 'runs', run), { recursive: true })
  writeFileSync(join(folder, 'runs', run, 'journal.ndjson'), journal)
  return folder
}
