import { randomBytes, randomUUID } from 'node:crypto'

export interface TokenAnswer {
  readonly status: number
  readonly body: unknown
}

/** Who may ask for tokens. */
export interface Client {
  readonly id: string
  readonly secret: string
}

/** The login endpoint: OpenID metadata and tokens by client secret, under the tenant and under `/adfs` (`az`). */
export class TokenDoor {
  readonly #issued = new Set<string>()
  readonly client: Client = { id: randomUUID(), secret: randomBytes(24).toString('base64url') }

  constructor(
    readonly origin: string,
    readonly tenant: string,
  ) {}

  /** Does a request's Authorization header carry a token of ours? */
  accepts(authorization: string | undefined): boolean {
    const token = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1]
    return token !== undefined && this.#issued.has(token)
  }

  /** Answers a request to the login endpoint; undefined if it is none. */
  answer(method: string, path: string, form: URLSearchParams): TokenAnswer | undefined {
    const found = /^\/([^/]+)(\/v2\.0)?\/\.well-known\/openid-configuration$/.exec(path)
    if (found && method === 'GET') return this.#metadata(found[1] ?? '')
    if (method === 'GET' && /^\/common\/discovery\/instance$/.test(path)) return { status: 200, body: this.#discovery() }
    const token = /^\/([^/]+)\/oauth2\/(v2\.0\/)?token$/.exec(path)
    if (token && method === 'POST') return this.#token(form)
    return undefined
  }

  #metadata(tenant: string): TokenAnswer {
    const base = `${this.origin}/${tenant}`
    const version = tenant === 'adfs' ? '' : '/v2.0'
    return {
      status: 200,
      body: {
        issuer: tenant === 'adfs' ? base : `${base}/v2.0`,
        authorization_endpoint: `${base}/oauth2${version}/authorize`,
        token_endpoint: `${base}/oauth2${version}/token`,
        jwks_uri: `${base}/discovery${version}/keys`,
        response_types_supported: ['code', 'id_token'],
        subject_types_supported: ['pairwise'],
        id_token_signing_alg_values_supported: ['RS256'],
      },
    }
  }

  #discovery(): unknown {
    const host = new URL(this.origin).host
    return {
      tenant_discovery_endpoint: `${this.origin}/${this.tenant}/v2.0/.well-known/openid-configuration`,
      'api-version': '1.1',
      metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
    }
  }

  #token(form: URLSearchParams): TokenAnswer {
    const known = form.get('client_id') === this.client.id && form.get('client_secret') === this.client.secret
    if (!known) {
      const description = 'AADSTS7000215: Invalid client secret provided.'
      return { status: 401, body: { error: 'invalid_client', error_description: description, error_codes: [7000215] } }
    }
    const token = randomBytes(32).toString('base64url')
    this.#issued.add(token)
    return { status: 200, body: { token_type: 'Bearer', expires_in: 3599, ext_expires_in: 3599, access_token: token } }
  }
}
