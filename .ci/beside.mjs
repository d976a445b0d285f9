// Runs npm scripts beside each other: `node .ci/beside.mjs lint types`. What each says is shown as a whole when it ends, so that
// lines do not mingle. All are run to their end, whichever fails: one look shows everything that is wrong.
import { spawn } from 'node:child_process'

const run = (script) =>
  new Promise((resolve) => {
    const child = spawn('npm', ['run', '--silent', script], { stdio: ['ignore', 'pipe', 'pipe'] })
    const said = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => said.push(part))
    child.on('error', (error) => said.push(Buffer.from(`${error.message}\n`)))
    child.on('close', (code) => {
      process.stdout.write(Buffer.concat(said))
      if (code !== 0) process.stdout.write(`npm run ${script} failed\n`)
      resolve(code === 0)
    })
  })

const held = await Promise.all(process.argv.slice(2).map(run))
process.exitCode = held.every(Boolean) ? 0 : 1
