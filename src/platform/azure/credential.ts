import type { AccessToken, TokenCredential } from '@azure/core-auth'
import type { PipelinePolicy } from '@azure/core-rest-pipeline'
import { readReference } from '../cloud/load.js'
import type { Cloud } from '../cloud/schema.js'
import { answersPolicy } from './answers.js'
import { rememberSecret } from '../log/known.js'
import { azureError } from './errors.js'
import { withLost, wirePolicy, type LoginMemory } from './hints.js'

export interface Login {
  readonly cloud: Cloud
  readonly subscription: string
  /** For a credential by `{ env: NAME }`, and for nothing else. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** How the login is sent: whose certificates are right, and who is told of it. */
export interface LoginWire {
  readonly tlsOptions?: { ca: string }
  readonly logging: readonly { readonly policy: PipelinePolicy; readonly position: 'perRetry' }[]
}

/** The credential that the cloud file refers to. Throws `cloud.reference`. */
export async function credentialFor(login: Login, { tlsOptions, logging }: LoginWire): Promise<TokenCredential> {
  const { cloud, subscription, environment } = login
  const { credential, tenant, authority, instanceDiscovery } = cloud
  const identity = await import('@azure/identity')
  const wire = {
    retryOptions: { maxRetries: 0 },
    additionalPolicies: [
      { policy: wirePolicy(), position: 'perCall' as const },
      { policy: answersPolicy, position: 'perRetry' as const },
      ...logging,
    ],
    ...(tlsOptions === undefined ? {} : { tlsOptions }),
  }
  switch (credential.kind) {
    case 'client-secret': {
      const secret = readReference(credential.secret, environment)
      const discovery = { authorityHost: authority, disableInstanceDiscovery: !instanceDiscovery }
      return said(new identity.ClientSecretCredential(tenant, credential.clientId, secret.reveal(), { ...discovery, ...wire }))
    }
    case 'azure-cli':
      // Several logins may be there: the one for this subscription, or for the tenant that the file names.
      return remembered(new identity.AzureCliCredential(tenant === 'organizations' ? { subscription } : { tenantId: tenant }))
    case 'managed-identity': {
      const { clientId } = credential
      return said(new identity.ManagedIdentityCredential({ ...wire, ...(clientId === undefined ? {} : { clientId }) }))
    }
  }
}

/** An authority that does not answer, or has no time, is no denial, though the login library makes one of it. */
function said(credential: TokenCredential): TokenCredential {
  const memory: LoginMemory = {}
  return remembered({
    getToken: (...wanted): Promise<AccessToken | null> =>
      withLost(() => credential.getToken(...wanted), memory, (lost) => azureError(lost, 'logging in')),
  })
}

/** Tokens are secrets like any other: wherever one turned up, it would be struck out. */
function remembered(credential: TokenCredential): TokenCredential {
  return {
    getToken: async (...wanted) => {
      const token = await credential.getToken(...wanted)
      if (token !== null) rememberSecret(token.token)
      return token
    },
  }
}
