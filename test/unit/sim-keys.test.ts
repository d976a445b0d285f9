import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { root } from '../helpers/cli.js'

const built = (path: string): string => JSON.stringify(pathToFileURL(join(root, 'dist/sim', path)))

describe('keys of a world', () => {
  it('are made however often memory is collected meanwhile: a world that waits for itself says nothing and never ends', async () => {
    const script = `
      import { makeAuthority } from ${built('pki.js')}
      import { makeSshKey } from ${built('world/keys.js')}
      for (let made = 0; made < 6000; made += 1) {
        // Never the same much of it between two collections.
        Array.from({ length: made % 89 }, () => ({}))
        makeSshKey('one')
      }
      const authority = makeAuthority('test', Date.now())
      for (let made = 0; made < 200; made += 1) authority.issue(['hub.example'])
      console.log('all made')
    `
    const { stdout } = await promisify(execFile)(process.execPath, ['--gc-interval=997', '--input-type=module', '-e', script], { timeout: 50_000 })
    expect(stdout).toBe('all made\n')
  })
})
