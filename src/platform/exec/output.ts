import { randomBytes } from 'node:crypto'
import { mkdir, open, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { Said } from './starter.js'

/** How much of what a program says is kept, in bytes. */
export const mostOutputBytes = 8 * 1024 * 1024

/** Files for the output of a child that may outlive us: 0600, in the run's private folder. */
export class Output implements Said {
  readonly #paths: readonly [string, string]
  readonly #handles: readonly [FileHandle, FileHandle]

  private constructor(paths: readonly [string, string], handles: readonly [FileHandle, FileHandle]) {
    this.#paths = paths
    this.#handles = handles
  }

  static async open(folder: string): Promise<Output> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const name = randomBytes(6).toString('hex')
    const paths = [join(folder, `out-${name}`), join(folder, `err-${name}`)] as const
    return new Output(paths, [await open(paths[0], 'wx+', 0o600), await open(paths[1], 'wx+', 0o600)])
  }

  /** File descriptors for the child's standard output and standard error. */
  get descriptors(): readonly [number, number] {
    return [this.#handles[0].fd, this.#handles[1].fd]
  }

  async read(endBytes?: number): Promise<{ stdout: string; stderr: string }> {
    const part = (handle: FileHandle): Promise<string> => (endBytes === undefined ? beginning(handle) : end(handle, endBytes))
    const [stdout, stderr] = await Promise.all(this.#handles.map(part))
    return { stdout: stdout ?? '', stderr: stderr ?? '' }
  }

  async remove(): Promise<void> {
    for (const handle of this.#handles) await handle.close()
    for (const path of this.#paths) await rm(path, { force: true })
  }
}

async function beginning(handle: FileHandle): Promise<string> {
  const { size } = await handle.stat()
  const length = Math.min(size, mostOutputBytes)
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, 0)
  return buffer.toString('utf8', 0, bytesRead)
}

async function end(handle: FileHandle, bytes: number): Promise<string> {
  const { size } = await handle.stat()
  const length = Math.min(size, bytes)
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length)
  const text = buffer.toString('utf8', 0, bytesRead)
  // The first line is cut somewhere, and half a secret would not be known for one.
  return length === size ? text : text.split('\n').slice(1).join('\n')
}
