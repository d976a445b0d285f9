import { open } from 'node:fs/promises'

/** The bytes of a file from `offset` to its end. Rejects with the system's own error. */
export async function grownFrom(path: string, offset: number): Promise<Buffer> {
  const file = await open(path, 'r')
  try {
    const length = Math.max(0, (await file.stat()).size - offset)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}
