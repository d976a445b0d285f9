import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { watched } from '../helpers/cli.js'

it('waits for the last lines of a process that has ended already', async () => {
  // What the process leaves behind speaks only once it is told to, through descriptor 3: after the end has been seen.
  const late = '(read go <&3; echo \'{"type":"step.started"}\'; echo \'{"type":"run.finished"}\') & exit 0'
  const child = spawn('sh', ['-c', late], { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] })
  const cli = watched(child as never)
  const finished = cli.until(({ type }) => type === 'run.finished')
  const never = cli.until(() => false)
  await once(child, 'exit')
  ;(child.stdio[3] as NodeJS.WritableStream).write('go\n')
  await expect(finished).resolves.toMatchObject({ type: 'run.finished' })
  await expect(never).rejects.toThrow('it ended before that happened')
})
