import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import type { Program } from './program.js'

/**
 * A command of the site's own, as it is: it is run for real, and takes no time of the world. What it works on are files that the world
 * has made for it (`env` of the world file), so that nothing of this machine is touched by one that keeps to them.
 */
export function siteProgram(file: string): Program | undefined {
  if (!isExecutable(file)) return undefined
  return async (args, { env, cwd, stdin }) => {
    const { status, stdout, stderr, error } = spawnSync(file, args, { env, input: stdin, encoding: 'utf8', ...(cwd === undefined ? {} : { cwd }) })
    return { exitCode: status ?? 126, stdout, stderr: error === undefined ? stderr : `${stderr}${error.message}\n` }
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
