import { createHmac } from 'node:crypto'
import { LifeboatError, type Secret } from '../../contract/index.js'
import type { SecretReference } from '../../contract/inputs.js'
import { readSecret, type SecretSources } from '../cloud/load.js'

/** What of a digest is shown: enough to tell two values apart. */
const shownDigits = 16

/**
 * The secrets that a runbook refers to. They are read anew each time: what was planned with one value must not run with another.
 * `key` is this state folder's own, so that nobody who sees a digest can try values for it.
 */
export function openSecrets(sources: SecretSources, key: () => Buffer) {
  const digestOf = (value: Secret): string =>
    `keyed:${createHmac('sha256', key()).update(value.reveal()).digest('hex').slice(0, shownDigits)}`
  return {
    digest: (reference: SecretReference): string => digestOf(readSecret(reference, sources)),
    read(reference: SecretReference): Secret {
      const value = readSecret(reference, sources)
      if (reference.digest === undefined || reference.digest === digestOf(value)) return value
      throw new LifeboatError('secret.changed', `the secret in ${placeOf(reference)} is no longer the one that was planned with`, {
        blame: 'user',
        hint: 'Going on plans again with the new one, and asks.',
      })
    },
  }
}

function placeOf(reference: SecretReference): string {
  return 'env' in reference ? `the variable ${reference.env}` : reference.file
}
