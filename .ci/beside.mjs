// Runs npm scripts beside each other: `node .ci/beside.mjs lint types`. What each says is shown as a whole when it ends, so that
// lines do not mingle. All are run to their end, whichever fails: one look shows everything that is wrong.
//
// After `--` stands a command that has the terminal meanwhile: `node .ci/beside.mjs lint types -- vitest run`. The scripts give way to
// it (a test waits for the world's clock a fifth of its time, and they use that), and what they say is held back until it has ended: it
// stands below the command's own last lines, where it is seen.
import { spawn } from 'node:child_process'
import { constants, setPriority } from 'node:os'

const args = process.argv.slice(2)
const dashes = args.indexOf('--')
const scripts = dashes < 0 ? args : args.slice(0, dashes)
const command = dashes < 0 ? [] : args.slice(dashes + 1)
const hasCommand = command.length > 0

const giveWay = ({ pid }) => {
  if (hasCommand && pid !== undefined) setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL)
}

/** Resolves with how a script went, and what it said. */
const run = (script) =>
  new Promise((resolve) => {
    const child = spawn('npm', ['run', '--silent', script], { stdio: ['ignore', 'pipe', 'pipe'] })
    const said = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => said.push(part))
    child.on('spawn', () => giveWay(child))
    child.on('error', (error) => said.push(Buffer.from(`${error.message}\n`)))
    child.on('close', (code) => {
      if (code !== 0) said.push(Buffer.from(`npm run ${script} failed\n`))
      resolve({ held: code === 0, said: Buffer.concat(said) })
    })
  })

const show = ({ held, said }) => {
  process.stdout.write(said)
  return held
}

/** Resolves with whether the command ended well. */
const inFront = () =>
  new Promise((resolve) => {
    if (!hasCommand) return resolve(true)
    const [program, ...rest] = command
    const child = spawn(program, rest, { stdio: 'inherit' })
    child.on('error', (error) => {
      console.error(error.message)
      resolve(false)
    })
    child.on('close', (code) => resolve(code === 0))
  })

const front = inFront()
const checks = scripts.map((script) => run(script))
const held = hasCommand
  ? [await front, ...(await Promise.all(checks)).map(show)]
  : await Promise.all(checks.map((check) => check.then(show)))
process.exitCode = held.every(Boolean) ? 0 : 1
