import type { AccessToken, TokenCredential } from '@azure/core-auth'
import { readReference } from '../cloud/load.js'
import type { Cloud } from '../cloud/schema.js'
import { answersPolicy } from './answers.js'
import { azureError } from './errors.js'
import { withLost, wirePolicy } from './hints.js'

export interface Login {
  readonly cloud: Cloud
  readonly subscription: string
  /** For a credential by `{ env: NAME }`, and for nothing else. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** The credential that the cloud file refers to. Throws `cloud.reference`. */
export async function credentialFor(login: Login, tlsOptions: { tlsOptions?: { ca: string } }): Promise<TokenCredential> {
  const { cloud, subscription, environment } = login
  const { credential, tenant, authority, instanceDiscovery } = cloud
  const identity = await import('@azure/identity')
  const wire = {
    retryOptions: { maxRetries: 0 },
    additionalPolicies: [
      { policy: wirePolicy(), position: 'perCall' as const },
      { policy: answersPolicy, position: 'perRetry' as const },
    ],
    ...tlsOptions,
  }
  switch (credential.kind) {
    case 'client-secret': {
      const secret = readReference(credential.secret, environment)
      const discovery = { authorityHost: authority, disableInstanceDiscovery: !instanceDiscovery }
      return said(new identity.ClientSecretCredential(tenant, credential.clientId, secret.reveal(), { ...discovery, ...wire }))
    }
    case 'azure-cli':
      // Several logins may be there: the one for this subscription, or for the tenant that the file names.
      return new identity.AzureCliCredential(tenant === 'organizations' ? { subscription } : { tenantId: tenant })
    case 'managed-identity': {
      const { clientId } = credential
      return said(new identity.ManagedIdentityCredential({ ...wire, ...(clientId === undefined ? {} : { clientId }) }))
    }
  }
}

/** An authority that does not answer is no denial, though the login library makes one of it. */
function said(credential: TokenCredential): TokenCredential {
  return {
    getToken: (...wanted): Promise<AccessToken | null> =>
      withLost(() => credential.getToken(...wanted), (lost) => azureError(lost, 'logging in')),
  }
}
