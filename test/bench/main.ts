import { parseArgs } from 'node:util'
import { eta } from './eta/eta.js'
import { failover } from './failover/failover.js'
import { pipeline } from './pipeline.js'
import type { Result } from './result.js'
import { resume } from './resume.js'
import { simulate } from './simulate.js'
import { startup } from './startup.js'

const benchmarks = [startup, eta, pipeline, resume, simulate, failover]

const say = (message: string): void => void process.stderr.write(`${message}\n`)

const { positionals } = parseArgs({ allowPositionals: true })
const unknown = positionals.filter((name) => !benchmarks.some((one) => one.name === name))
if (unknown.length > 0) {
  say(`There is no benchmark ${unknown.join(', ')}. There are: ${benchmarks.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}

const results: Result[] = []
for (const benchmark of benchmarks) {
  if (positionals.length > 0 && !positionals.includes(benchmark.name)) continue
  say(`${benchmark.name}…`)
  for (const result of await benchmark.measure((message) => say(`  ${message}`))) {
    results.push(result)
    say(`  ${result.holds ? 'holds' : 'MISSED'}  ${result.name}: ${result.value} ${result.unit} (bar ${result.bar})`)
  }
}
process.stdout.write(`${JSON.stringify({ results })}\n`)
process.exitCode = results.every(({ holds }) => holds) ? 0 : 1
