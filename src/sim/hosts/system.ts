import type { ShellResult } from '../world/shell.js'
import { type Call, failed, isReady, isRoot, notPlayed, type Program, said } from './call.js'
import { enableNfs, isNfsEnabled, isNfsUnit, startNfs, stopNfs } from './nfs.js'

const readingVerbs = new Set(['is-active', 'is-enabled', 'status'])

/** systemctl for the one service that matters here, and for sshd. */
const systemctl: Program = (args, call) => {
  const quiet = args.includes('--quiet') || args.includes('-q')
  const now = args.includes('--now')
  const [verb = '', ...units] = args.filter((arg) => !['--quiet', '-q', '--now', '--no-pager', '--no-ask-password'].includes(arg))
  const unit = (units[0] ?? '').replace(/\.service$/, '')
  if (units.length !== 1) return notPlayed('systemctl', args)
  const hush = (result: ShellResult): ShellResult => (quiet ? { ...result, stdout: '' } : result)
  if (unit === 'ssh' || unit === 'sshd') return verb === 'is-active' ? hush(said('active\n')) : notPlayed('systemctl', args)
  if (!isNfsUnit(unit) || !isReady(call)) return hush(unknownUnit(verb, unit))
  if (verb === 'is-active') return hush(call.host.services.nfs ? said('active\n') : { exitCode: 3, stdout: 'inactive\n', stderr: '' })
  if (verb === 'is-enabled') return hush(isNfsEnabled(call.host) ? said('enabled\n') : { exitCode: 1, stdout: 'disabled\n', stderr: '' })
  if (readingVerbs.has(verb)) return notPlayed('systemctl', args)
  if (!isRoot(call)) return failed(1, `Failed to ${verb} ${unit}.service: Interactive authentication required.`)
  return change(call, args, verb, now)
}

function change(call: Call, args: readonly string[], verb: string, now: boolean): ShellResult {
  if (verb === 'start' || verb === 'restart' || verb === 'reload') startNfs(call)
  else if (verb === 'stop') stopNfs(call)
  else if (verb === 'enable' || verb === 'disable' || verb === 'mask') {
    enableNfs(call.host, verb === 'enable')
    if (now && verb === 'enable') startNfs(call)
    if (now && verb !== 'enable') stopNfs(call)
  } else return notPlayed('systemctl', args)
  return said('')
}

function unknownUnit(verb: string, unit: string): ShellResult {
  if (verb === 'is-active') return { exitCode: 3, stdout: 'inactive\n', stderr: '' }
  if (verb === 'is-enabled') return failed(1, `Failed to get unit file state for ${unit}.service: No such file or directory`)
  if (verb === 'status') return failed(4, `Unit ${unit}.service could not be found.`)
  if (verb === 'enable' || verb === 'disable') return failed(1, `Failed to ${verb} unit: Unit file ${unit}.service does not exist.`)
  return failed(5, `Failed to ${verb} ${unit}.service: Unit ${unit}.service ${verb === 'stop' ? 'not loaded' : 'not found'}.`)
}

/**
 * A machine whose cloud-init lacks ZFS and NFS is done at once, with nothing to show for it: `readyFromMs` never comes. One that
 * could not fetch them ends in an error.
 */
const cloudInit: Program = (args, call) => {
  if (args[0] !== 'status' || args.slice(1).some((arg) => arg !== '--wait' && arg !== '--long')) return notPlayed('cloud-init', args)
  const { world, host } = call
  const untilMs = Number.isFinite(host.readyFromMs) ? host.readyFromMs : host.cloudInitUntilMs
  const leftMs = untilMs - world.clock.nowMs()
  if (leftMs <= 0) return cloudInitSays(args, host.cloudInitError)
  if (!args.includes('--wait')) return said('status: running\n')
  return new Promise((resolve) =>
    world.clock.schedule(leftMs, () => {
      const end = cloudInitSays(args, host.cloudInitError)
      resolve({ ...end, stdout: `\n${end.stdout}` })
    }),
  )
}

function cloudInitSays(args: readonly string[], error: string | undefined): ShellResult {
  const detail = !args.includes('--long') ? '' : `boot_status_code: enabled-by-generator\ndetail:\n${error ?? 'DataSourceAzure'}\n`
  if (error === undefined) return said(`status: done\n${detail}`)
  return { exitCode: 1, stdout: `status: error\n${detail}`, stderr: '' }
}

const modprobe: Program = (args, call) => {
  if (args.join(' ') !== 'zfs') return notPlayed('modprobe', args)
  if (!isRoot(call)) return failed(1, "modprobe: ERROR: could not insert 'zfs': Operation not permitted")
  return isReady(call) ? said('') : failed(1, 'modprobe: FATAL: Module zfs not found in directory /lib/modules/5.15.0-1089-azure')
}

export const system: Readonly<Record<string, Program>> = { systemctl, 'cloud-init': cloudInit, modprobe }
