import type { Fields } from '../object.js'
import { KubeError } from '../status.js'
import { messages, type FieldShape } from './messages.js'

/** How the bodies of typed clients begin. */
const magic = Buffer.from('k8s\0')

export const protobufType = 'application/vnd.kubernetes.protobuf'

/**
 * Reads the body of a typed client: the magic, runtime.Unknown, and in it the object. Only the messages of messages.ts; for
 * another kind it throws 415, which is what a server without protobuf says.
 */
export function decodeProtobuf(body: Buffer): Fields {
  if (!body.subarray(0, 4).equals(magic)) throw new KubeError(400, 'BadRequest', 'the body is not protobuf of Kubernetes')
  let apiVersion = ''
  let kind = ''
  let raw: Buffer = Buffer.alloc(0)
  for (const { number, bytes } of parts(body.subarray(4))) {
    if (number === 1) {
      for (const part of parts(bytes)) {
        if (part.number === 1) apiVersion = part.bytes.toString('utf8')
        if (part.number === 2) kind = part.bytes.toString('utf8')
      }
    }
    if (number === 2) raw = bytes
  }
  const shape = messages.get(kind)
  if (!shape) throw new KubeError(415, 'UnsupportedMediaType', `the body of the request was in an unknown format: no protobuf of ${kind}`)
  return { apiVersion, kind, ...message(kind, raw) }
}

interface Part {
  readonly number: number
  readonly value: bigint
  readonly bytes: Buffer
}

/** The fields of a message as they stand on the wire. */
function parts(body: Buffer): Part[] {
  const found: Part[] = []
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = body[at]
      if (byte === undefined || shift > 63n) throw new KubeError(400, 'BadRequest', 'the body is cut off')
      at += 1
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  while (at < body.length) {
    const tag = varint()
    const number = Number(tag >> 3n)
    const wire = Number(tag & 7n)
    if (wire === 0) found.push({ number, value: varint(), bytes: Buffer.alloc(0) })
    else {
      const length = wire === 2 ? Number(varint()) : wire === 1 ? 8 : 4
      if (at + length > body.length) throw new KubeError(400, 'BadRequest', 'the body is cut off')
      found.push({ number, value: 0n, bytes: body.subarray(at, at + length) })
      at += length
    }
  }
  return found
}

function message(name: string, body: Buffer): Fields {
  const shape = messages.get(name)
  const read: Fields = {}
  for (const part of parts(body)) {
    const field = shape?.get(part.number)
    if (!field) continue
    const value = valueOf(field, part)
    // Typed clients send every string, empty ones too: those are not set.
    if (value === undefined || value === '') continue
    if (field.map) read[field.name] = { ...(read[field.name] as Fields | undefined), ...(value as Fields) }
    else if (field.repeated) read[field.name] = [...((read[field.name] as unknown[] | undefined) ?? []), value]
    else read[field.name] = value
  }
  return read
}

function valueOf(field: FieldShape, part: Part): unknown {
  if (field.map) {
    const entry = parts(part.bytes)
    const key = entry.find((one) => one.number === 1)?.bytes.toString('utf8') ?? ''
    const bytes = entry.find((one) => one.number === 2)?.bytes ?? Buffer.alloc(0)
    return { [key]: bytes.toString(field.type === 'bytes' ? 'base64' : 'utf8') }
  }
  switch (field.type) {
    case 's':
      return part.bytes.toString('utf8')
    case 'bytes':
      return part.bytes.toString('base64')
    case 'i':
      return Number(BigInt.asIntN(64, part.value))
    case 'z':
      return part.value === 0n ? undefined : Number(BigInt.asIntN(64, part.value))
    case 'b':
      return part.value !== 0n
    case 'time': {
      const seconds = parts(part.bytes).find((one) => one.number === 1)?.value
      return seconds === undefined ? undefined : `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}Z`
    }
    default:
      return message(field.type, part.bytes)
  }
}
