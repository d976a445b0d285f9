import { LifeboatError } from '../../src/contract/index.js'
import type { Platform } from '../../src/platform/platform.js'

/** One call of a door, told apart by its arguments and by how often it was made before. */
export type Call = string

/** How a read may fail: what the door throws or answers instead. */
export interface Failure {
  readonly what: string
  readonly how: () => Promise<unknown>
}

const thrown = (code: string, details: ConstructorParameters<typeof LifeboatError>[2] = {}): Failure => ({
  what: code,
  how: () => Promise.reject(new LifeboatError(code, `the read failed on purpose (${code})`, details)),
})
const answered = (exitCode: number): Failure => ({
  what: `exit code ${exitCode} and no output`,
  how: () => Promise.resolve({ exitCode, stdout: '', stderr: exitCode === 0 ? '' : 'failed on purpose\n', lastLines: [] }),
})
const passing = { retry: {} }

/** By door, failures as it reports them: one that may pass, one that will not, and what a program may say instead of an answer. */
const failures: Readonly<Record<string, readonly Failure[]>> = {
  azure: [thrown('azure.unreachable', passing), thrown('azure.denied')],
  ssh: [thrown('ssh.unreachable', passing), thrown('ssh.host-key'), answered(1), answered(0)],
  dns: [thrown('dns.unreachable', passing)],
  helm: [thrown('kube.unreachable', passing), thrown('kube.denied')],
  kube: [thrown('kube.unreachable', passing), thrown('kube.denied')],
  http: [thrown('http.unreachable', passing)],
  command: [thrown('exec.timeout', passing), thrown('exec.missing')],
}

/** Only a command's run has an exit code: nothing else of the SSH door can answer so. */
export function failuresOf(call: Call): readonly Failure[] {
  const all = failures[call.split('.')[0] ?? ''] ?? []
  return call.startsWith('ssh.read(') ? all : all.filter(({ what }) => !what.startsWith('exit code'))
}

export interface WatchedDoors {
  readonly doors: Platform
  readonly calls: ReadonlySet<Call>
}

/** The same doors, keeping count of what is asked; `failing` is the one call that fails. */
export function watchedDoors(doors: Platform, failing?: { readonly call: Call; readonly failure: Failure }): WatchedDoors {
  const calls = new Set<Call>()
  const counts = new Map<string, number>()
  const asked = (path: string, args: readonly unknown[], go: () => unknown): unknown => {
    const plain = `${path}(${JSON.stringify(args.map(withoutSignal))})`
    const nth = (counts.get(plain) ?? 0) + 1
    counts.set(plain, nth)
    const call = nth === 1 ? plain : `${plain}#${nth}`
    if (failing?.call === call) {
      calls.add(call)
      return failing.failure.how()
    }
    const answer = go()
    // What is told at once is no read: the ways that a cloud file names.
    if (answer instanceof Promise) calls.add(call)
    return answer
  }
  const { clock, ...others } = doors
  const watched = Object.fromEntries(Object.entries(others).map(([name, door]) => [name, watch(door as object, name, asked)]))
  return { doors: { ...(watched as unknown as Platform), clock }, calls }
}

function watch(target: object, path: string, asked: (path: string, args: readonly unknown[], go: () => unknown) => unknown): object {
  return new Proxy(target, {
    get(door, key) {
      const value: unknown = Reflect.get(door, key)
      const name = `${path}.${String(key)}`
      if (typeof value === 'function') {
        return (...args: unknown[]) => asked(name, args, () => Reflect.apply(value as (...given: unknown[]) => unknown, door, args))
      }
      return typeof value === 'object' && value !== null ? watch(value, name, asked) : value
    },
  })
}

function withoutSignal(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([key]) => key !== 'signal'))
}
