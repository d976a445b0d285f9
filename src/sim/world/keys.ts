import { createHash, createPrivateKey, type KeyObject, randomBytes } from 'node:crypto'

/** An Ed25519 pair in OpenSSH's own formats: the private file, and the one-line public key. */
export interface SshKeyPair {
  readonly private: string
  readonly public: string
}

/** Makes a pair that OpenSSH reads; `comment` ends the public line. */
export type MakeSshKey = (comment: string) => SshKeyPair

/** Any 32 bytes are a key: it needs no `generateKeyPairSync`, whose keys must not be exported (`pki.ts`). */
export const makeSshKey: MakeSshKey = (comment) => pairOf(keyOf(randomBytes(32)), randomBytes(4), comment)

/** RFC 8410: what stands before the 32 bytes of an Ed25519 key in PKCS #8. */
const pkcs8Head = Buffer.from('302e020100300506032b657004220420', 'hex')

/** Pairs that depend on `seed` and on their order only. Anybody can make them again: for worlds that nobody reaches over a network. */
export function seededSshKeys(seed: string): MakeSshKey {
  let count = 0
  return (comment) => {
    const bytes = createHash('sha256').update(`${seed} ${(count += 1)} ${comment}`).digest()
    return pairOf(keyOf(bytes), bytes.subarray(0, 4), comment)
  }
}

function keyOf(bytes: Buffer): KeyObject {
  return createPrivateKey({ key: Buffer.concat([pkcs8Head, bytes]), format: 'der', type: 'pkcs8' })
}

function pairOf(privateKey: KeyObject, check: Buffer, comment: string): SshKeyPair {
  const jwk = privateKey.export({ format: 'jwk' })
  const secret = Buffer.from(jwk.d ?? '', 'base64url')
  const open = Buffer.from(jwk.x ?? '', 'base64url')
  const publicBlob = Buffer.concat([field('ssh-ed25519'), field(open)])
  return {
    private: armour(privateFile({ publicBlob, open, secret, check, comment })),
    public: `ssh-ed25519 ${publicBlob.toString('base64')} ${comment}`,
  }
}

interface Parts {
  readonly publicBlob: Buffer
  readonly open: Buffer
  readonly secret: Buffer
  /** Four bytes that stand there twice. */
  readonly check: Buffer
  readonly comment: string
}

/** The layout of PROTOCOL.key in OpenSSH, without encryption. */
function privateFile({ publicBlob, open, secret, check, comment }: Parts): Buffer {
  const body = Buffer.concat([
    check,
    check,
    field('ssh-ed25519'),
    field(open),
    field(Buffer.concat([secret, open])),
    field(comment),
  ])
  const padding = Buffer.from(Array.from({ length: (8 - (body.length % 8)) % 8 }, (_, at) => at + 1))
  return Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    field('none'),
    field('none'),
    field(''),
    number(1),
    field(publicBlob),
    field(Buffer.concat([body, padding])),
  ])
}

function armour(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,70}/g) ?? []
  return ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n')
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function field(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([number(bytes.length), bytes])
}

/** A UUID that depends on `seed` only, so that a world looks the same each time it starts. */
export function seededUuid(seed: string): string {
  const hex = createHash('sha256').update(seed).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-')
}

/** The first `length` hexadecimal digits of a digest of `seed`. */
export function seededHex(seed: string, length: number): string {
  return createHash('sha256').update(seed).digest('hex').slice(0, length)
}
