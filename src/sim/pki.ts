import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isIP } from 'node:net'
import { bits, element, octets, oid, pem, sequence, set, text, time, truth, whole } from './der.js'

// Written by hand, because the certificate libraries at hand need a run-time polyfill of the whole process, and a world
// needs three kinds of extension only. EC keys: making an RSA key would take longer than everything else at the start.

const day = 24 * 3600 * 1000
const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'))

export interface ServerCertificate {
  /** PEM: the certificate, then its authority. */
  readonly cert: string
  /** PEM, PKCS #8. */
  readonly key: string
}

/** A certificate authority of one world. */
export interface Authority {
  /** PEM of the authority's own certificate: what clients are told to trust. */
  readonly pem: string
  readonly name: string
  /** A server certificate for these names and IP addresses (wildcards allowed); valid for `days`, 30 if absent. */
  issue(names: readonly string[], days?: number): ServerCertificate
}

/**
 * Makes an authority; `name` is its common name. Certificates are checked by real clients against the machine's clock, so
 * `realNowMs` is real time, not the world's.
 */
export function makeAuthority(name: string, realNowMs: number): Authority {
  const own = makePair()
  const root = pem(
    'CERTIFICATE',
    certificate({
      subject: name,
      issuer: name,
      publicKey: own.publicKey,
      signer: own.privateKey,
      fromMs: realNowMs - day,
      untilMs: realNowMs + 3650 * day,
      extensions: [
        extension('2.5.29.19', true, sequence(truth(), whole(Buffer.from([0])))),
        extension('2.5.29.15', true, bits(Buffer.from([0b0000_0110]), 1)),
        extension('2.5.29.14', false, octets(keyId(own.publicKey))),
      ],
    }),
  )
  return {
    pem: root,
    name,
    issue(names, days = 30) {
      const leaf = makePair()
      const der = certificate({
        subject: names[0] ?? 'localhost',
        issuer: name,
        publicKey: leaf.publicKey,
        signer: own.privateKey,
        fromMs: realNowMs - day,
        untilMs: realNowMs + days * day,
        extensions: [
          extension('2.5.29.19', true, sequence()),
          extension('2.5.29.15', true, bits(Buffer.from([0b1000_0000]), 7)),
          extension('2.5.29.37', false, sequence(oid('1.3.6.1.5.5.7.3.1'))),
          extension('2.5.29.17', false, sequence(...names.map(alternativeName))),
          extension('2.5.29.35', false, sequence(element(0x80, keyId(own.publicKey)))),
          extension('2.5.29.14', false, octets(keyId(leaf.publicKey))),
        ],
      })
      return { cert: pem('CERTIFICATE', der) + root, key: leaf.pem }
    },
  }
}

/**
 * A pair that was written down and read again. Those that come from `generateKeyPairSync` share a lock with what made them: where that is
 * collected as garbage while one of them is exported, Node 20 waits for itself for ever.
 */
function makePair(): { readonly publicKey: KeyObject; readonly privateKey: KeyObject; readonly pem: string } {
  const written = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  return { publicKey: createPublicKey(written.publicKey), privateKey: createPrivateKey(written.privateKey), pem: written.privateKey }
}

interface Content {
  readonly subject: string
  readonly issuer: string
  readonly publicKey: KeyObject
  readonly signer: KeyObject
  readonly fromMs: number
  readonly untilMs: number
  readonly extensions: readonly Buffer[]
}

/** RFC 5280, version 3. */
function certificate(content: Content): Buffer {
  const body = sequence(
    element(0xa0, whole(Buffer.from([2]))),
    serial(),
    ecdsaWithSha256,
    commonName(content.issuer),
    sequence(time(content.fromMs), time(content.untilMs)),
    commonName(content.subject),
    content.publicKey.export({ type: 'spki', format: 'der' }),
    element(0xa3, sequence(...content.extensions)),
  )
  return sequence(body, ecdsaWithSha256, bits(sign('sha256', body, content.signer)))
}

function serial(): Buffer {
  const bytes = randomBytes(16)
  // Never starts with zeros, which DER would not allow.
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return whole(bytes)
}

function commonName(name: string): Buffer {
  // 64 characters are the most that a common name may have; the alternative names are what clients look at.
  return sequence(set(sequence(oid('2.5.4.3'), text(name.slice(0, 64)))))
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(critical ? [truth()] : []), octets(value))
}

function keyId(key: KeyObject): Buffer {
  return createHash('sha1').update(key.export({ type: 'spki', format: 'der' })).digest()
}

function alternativeName(name: string): Buffer {
  const family = isIP(name)
  if (family === 0) return element(0x82, Buffer.from(name))
  if (family === 4) return element(0x87, Buffer.from(name.split('.').map(Number)))
  return element(0x87, ipv6Bytes(name))
}

function ipv6Bytes(address: string): Buffer {
  const [head = '', tail] = address.split('::')
  const words = (part: string): string[] => (part === '' ? [] : part.split(':'))
  const before = words(head)
  const after = tail === undefined ? [] : words(tail)
  const between = Array<string>(8 - before.length - after.length).fill('0')
  return Buffer.from([...before, ...between, ...after].map((word) => word.padStart(4, '0')).join(''), 'hex')
}
