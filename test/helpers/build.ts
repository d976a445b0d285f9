import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const built = 'LIFEBOAT_TEST_BUILT'

/** Vitest's global set-up for tests that start `dist/main.js`: builds it once, so that none runs against an older build. */
export default function build(): void {
  if (process.env[built] !== undefined) return
  const root = fileURLToPath(new URL('../..', import.meta.url))
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  process.env[built] = '1'
}
