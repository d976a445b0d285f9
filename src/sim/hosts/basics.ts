import type { ShellResult } from '../world/shell.js'
import { type Call, failed, getopt, notPlayed, type Program, said } from './call.js'
import { devicesOf } from './disks.js'
import { entries, look, write } from './files.js'
import { niceSize } from './size.js'

const cat: Program = async (args, call) => {
  if (args.some((arg) => arg.startsWith('-') && arg !== '-')) return notPlayed('cat', args)
  let stdout = ''
  let stderr = ''
  for (const path of args.length === 0 ? ['-'] : args) {
    if (path === '-') {
      stdout += await call.stdin()
      continue
    }
    const found = look(call, path)
    if (!found) stderr += `cat: ${path}: No such file or directory\n`
    else if (found.kind === 'folder') stderr += `cat: ${path}: Is a directory\n`
    else if (found.secret === true && call.user !== 'root') stderr += `cat: ${path}: Permission denied\n`
    else stdout += found.text
  }
  return { exitCode: stderr === '' ? 0 : 1, stdout, stderr }
}

/** dash's own: backslashes mean something, `-n` is the only option. */
const echo: Program = (args) => {
  const quiet = args[0] === '-n'
  const text = unescape(args.slice(quiet ? 1 : 0).join(' '))
  return said(quiet ? text : `${text}\n`)
}

const unescape = (text: string): string =>
  text.replace(/\\([ntr\\])/g, (_, letter: string) => ({ n: '\n', t: '\t', r: '\r' })[letter] ?? '\\')

const printf: Program = (args) => {
  const [format, ...values] = args
  if (format === undefined) return failed(2, 'sh: 1: printf: usage: printf format [arg ...]')
  if (/%(?![sdb%])/.test(format)) return notPlayed('printf', args)
  const shape = unescape(format)
  const slots = (shape.match(/%[sdb]/g) ?? []).length
  let output = ''
  let at = 0
  do {
    output += shape.replace(/%([sdb%])/g, (_, kind: string) => {
      if (kind === '%') return '%'
      const value = values[at] ?? (kind === 'd' ? '0' : '')
      at += 1
      return kind === 'b' ? unescape(value) : value
    })
  } while (slots > 0 && at < values.length)
  return said(output)
}

const tee: Program = async (args, call) => {
  const options = getopt(args, 'a')
  if (!options) return notPlayed('tee', args)
  const text = await call.stdin()
  const refused = options.rest.flatMap((path) => {
    const reason = write(call, path, text, options.flags.has('a'))
    return reason === undefined ? [] : `tee: ${path}: ${reason}\n`
  })
  return { exitCode: refused.length === 0 ? 0 : 1, stdout: text, stderr: refused.join('') }
}

const mkdir: Program = (args, call) => {
  const options = getopt(args, 'p', 'm')
  if (!options || options.rest.length === 0) return notPlayed('mkdir', args)
  for (const path of options.rest.map((one) => (one === '/' ? one : one.replace(/\/+$/, '')))) {
    if (look(call, path)) {
      if (options.flags.has('p') && look(call, path)?.kind === 'folder') continue
      return failed(1, `mkdir: cannot create directory ‘${path}’: File exists`)
    }
    if (call.user !== 'root' && !/^\/(tmp|var\/tmp|run\/lock)\//.test(path)) return failed(1, `mkdir: cannot create directory ‘${path}’: Permission denied`)
    const parts = path.split('/').slice(1)
    const missing = parts.map((_, at) => `/${parts.slice(0, at + 1).join('/')}`).filter((one) => !look(call, one))
    if (missing.length > 1 && !options.flags.has('p')) return failed(1, `mkdir: cannot create directory ‘${path}’: No such file or directory`)
    for (const folder of missing) call.host.files.set(`${folder}/`, '')
  }
  return said('')
}

const rm: Program = (args, call) => {
  const options = getopt(args, 'f')
  if (!options || options.rest.length === 0) return notPlayed('rm', args)
  for (const path of options.rest) {
    if (!call.host.files.has(path)) {
      if (!options.flags.has('f') || look(call, path)) return failed(1, `rm: cannot remove '${path}': ${look(call, path) ? 'Is a directory' : 'No such file or directory'}`)
    } else if (call.user !== 'root') return failed(1, `rm: cannot remove '${path}': Permission denied`)
    else call.host.files.delete(path)
  }
  return said('')
}

const test: Program = (args, call) => {
  const [first = '', second, third] = args
  const answer = (holds: boolean): ShellResult => ({ exitCode: holds ? 0 : 1, stdout: '', stderr: '' })
  if (first === '!') return Promise.resolve(test(args.slice(1), call)).then((one) => (one.exitCode > 1 ? one : answer(one.exitCode === 1)))
  if (args.length <= 1) return answer(first !== '')
  if (args.length === 2 && second !== undefined) {
    const found = look(call, second)
    if (first === '-d') return answer(found?.kind === 'folder')
    if (first === '-e') return answer(found !== undefined)
    if (first === '-f') return answer(found?.kind === 'file' && !second.startsWith('/dev/'))
    if (first === '-b') return answer(found?.kind === 'file' && /^\/dev\/(sd|disk)/.test(second))
    if (first === '-r') return answer(found !== undefined && (call.user === 'root' || !(found.kind === 'file' && found.secret === true)))
    if (first === '-s') return answer(found?.kind === 'folder' || (found?.kind === 'file' && found.text !== ''))
    if (first === '-n') return answer(second !== '')
    if (first === '-z') return answer(second === '')
  }
  if (args.length === 3 && third !== undefined) {
    if (second === '=') return answer(first === third)
    if (second === '!=') return answer(first !== third)
  }
  return notPlayed('test', args)
}

const bracket: Program = (args, call) =>
  args.at(-1) === ']' ? test(args.slice(0, -1), call) : failed(2, 'sh: 1: [: missing ]')

const ls: Program = (args, call) => {
  const options = getopt(args, '1ad')
  if (!options) return notPlayed('ls', args)
  let stdout = ''
  let stderr = ''
  const paths = options.rest.length === 0 ? [`/home/${call.host.user}`] : options.rest
  for (const path of paths) {
    const found = look(call, path)
    if (!found) stderr += `ls: cannot access '${path}': No such file or directory\n`
    else if (found.kind === 'file' || options.flags.has('d')) stdout += `${path}\n`
    else {
      if (paths.length > 1) stdout += `${stdout === '' ? '' : '\n'}${path}:\n`
      stdout += entries(call, path).map((one) => `${one.split('/').at(-1) ?? ''}\n`).join('')
    }
  }
  return { exitCode: stderr === '' ? 0 : 2, stdout, stderr }
}

/** Columns of lsblk that are played; a data disk of a pool has ZFS's two partitions. */
const lsblk: Program = (args, call) => {
  const words = args.flatMap((arg) => (arg === '--bytes' ? '-b' : arg === '--noheadings' ? '-n' : arg))
  const options = getopt(words, 'bndpPr', 'o')
  if (!options || options.flags.has('P') || options.rest.length > 0) return notPlayed('lsblk', args)
  const wanted = (options.values.get('o')?.at(-1) ?? 'NAME,SIZE,TYPE').toUpperCase().split(',')
  const gib = 1024 ** 3
  const disks = [
    { name: 'sda', size: 30 * gib, parts: ['1'], fs: 'ext4', hctl: '0:0:0:0' },
    { name: 'sdb', size: 16 * gib, parts: ['1'], fs: 'ext4', hctl: '0:0:0:1' },
    ...devicesOf(call.world, call.host).map((device) => {
      const pooled = call.world.pools.some((pool) => pool.disks.includes(device.uniqueId))
      return { name: device.kernel, size: device.sizeBytes, parts: pooled ? ['1', '9'] : [], fs: pooled ? 'zfs_member' : '', hctl: `1:0:0:${device.lun}` }
    }),
  ]
  const size = (bytes: number): string => (options.flags.has('b') ? String(bytes) : niceSize(bytes))
  const rows = disks.flatMap(({ name, size: bytes, parts, fs, hctl }) => {
    const path = options.flags.has('p') ? '/dev/' : ''
    const whole = { NAME: path + name, KNAME: path + name, SIZE: size(bytes), TYPE: 'disk', FSTYPE: '', HCTL: hctl }
    const cells = parts.map((part, at) => {
      const branch = options.flags.has('r') ? '' : at === parts.length - 1 ? '└─' : '├─'
      return { NAME: `${branch}${path}${name}${part}`, KNAME: path + name + part, SIZE: size(part === '9' ? 8 * 1024 ** 2 : bytes), TYPE: 'part', FSTYPE: part === '9' ? '' : fs, HCTL: '' }
    })
    return options.flags.has('d') ? [whole] : [whole, ...cells]
  })
  const known = new Set(['NAME', 'KNAME', 'SIZE', 'TYPE', 'FSTYPE', 'HCTL'])
  if (wanted.some((column) => !known.has(column))) return notPlayed('lsblk', args)
  const table = rows.map((row) => wanted.map((column) => row[column as keyof typeof row]))
  if (!options.flags.has('n')) table.unshift(wanted)
  const widths = wanted.map((_, at) => Math.max(...table.map((row) => (row[at] ?? '').length)))
  const line = (row: readonly string[]): string =>
    options.flags.has('r') ? row.join(' ') : row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' ').trimEnd()
  return said(table.map((row) => `${line(row)}\n`).join(''))
}

const hostname: Program = (args, call) =>
  args.length > 0 ? notPlayed('hostname', args) : said(`${call.world.resource(call.host.machine)?.name ?? ''}\n`)

const id: Program = (args, call) => {
  if (args.join(' ') === '-u') return said(call.user === 'root' ? '0\n' : '1000\n')
  return args.join(' ') === '-un' ? said(`${call.user}\n`) : notPlayed('id', args)
}

const quiet = (exitCode: number): Program => () => ({ exitCode, stdout: '', stderr: '' })

export const basics: Readonly<Record<string, Program>> = {
  cat, echo, printf, tee, mkdir, rm, test, '[': bracket, ls, lsblk, hostname, id,
  whoami: (_, call: Call) => said(`${call.user}\n`),
  hostid: (_, call: Call) => said(`${call.host.hostId}\n`),
  true: quiet(0),
  ':': quiet(0),
  false: quiet(1),
}
