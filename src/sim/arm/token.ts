import { seededUuid } from '../world/keys.js'
import { makeSecret } from '../world/secrets.js'
import { WorldError } from '../world/world.js'
import type { Faults } from './faults.js'

export interface TokenAnswer {
  readonly status: number
  readonly body: unknown
}

/** Who may ask for tokens. */
export interface Client {
  readonly id: string
  readonly secret: string
}

export interface TokenOptions {
  /** How long a token is good, in real milliseconds: it is the wire's. */
  readonly lifetimeMs: number
  readonly faults: Pick<Faults, 'secretRefused' | 'tokenSeries' | 'keptOut'>
}

/** The login endpoint: OpenID metadata and tokens by client secret, under the tenant and under `/adfs` (`az`). */
export class TokenDoor {
  readonly #issued = new Map<string, { readonly untilMs: number; readonly series: number }>()
  /** Its id is told in refusals, and so the same in every world of a tenant. */
  readonly client: Client

  constructor(
    readonly origin: string,
    readonly tenant: string,
    readonly options: TokenOptions,
  ) {
    this.client = { id: seededUuid(`client of ${tenant}`), secret: makeSecret(24) }
  }

  /** Every token that was given away, for whoever looks where they have got to. */
  get given(): readonly string[] {
    return [...this.#issued.keys()]
  }

  /** Throws 401 unless a request's Authorization header carries a token of ours that is good still. */
  check(authorization: string | undefined): void {
    const token = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1]
    const issued = this.#issued.get(token ?? '')
    if (issued === undefined) throw this.#refusal('AuthenticationFailed', 'Authentication failed. The Authorization header is missing or invalid.')
    const now = Date.now()
    if (issued.untilMs <= now) {
      const [until, at] = [issued.untilMs, now].map((ms) => new Date(ms).toISOString())
      throw this.#refusal('ExpiredAuthenticationToken', `The access token expiry UTC time '${until}' is earlier than current UTC time '${at}'.`)
    }
    if (issued.series !== this.options.faults.tokenSeries) {
      this.options.faults.keptOut('revoked')
      throw this.#refusal('InvalidAuthenticationToken', 'The access token has been revoked.')
    }
  }

  #refusal(code: string, message: string): WorldError {
    const challenge = `Bearer authorization_uri="${this.origin}/${this.tenant}", error="invalid_token", error_description="${message}"`
    return new WorldError(401, code, message, undefined, { 'www-authenticate': challenge })
  }

  /** Answers a request to the login endpoint; undefined if it is none. */
  answer(method: string, path: string, form: string): TokenAnswer | undefined {
    const found = /^\/([^/]+)(\/v2\.0)?\/\.well-known\/openid-configuration$/.exec(path)
    if (found && method === 'GET') return this.#metadata(found[1] ?? '')
    if (method === 'GET' && /^\/common\/discovery\/instance$/.test(path)) return { status: 200, body: this.#discovery() }
    const token = /^\/([^/]+)\/oauth2\/(v2\.0\/)?token$/.exec(path)
    if (token && method === 'POST') return this.#token(new URLSearchParams(form))
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
    const { lifetimeMs, faults } = this.options
    if (faults.secretRefused) {
      faults.keptOut('refused')
      const description = `AADSTS7000222: The provided client secret keys for app '${this.client.id}' are expired.`
      return { status: 401, body: { error: 'invalid_client', error_description: description, error_codes: [7000222] } }
    }
    const token = makeSecret(32)
    this.#issued.set(token, { untilMs: Date.now() + lifetimeMs, series: faults.tokenSeries })
    const seconds = Math.floor(lifetimeMs / 1000)
    return { status: 200, body: { token_type: 'Bearer', expires_in: seconds, ext_expires_in: seconds, access_token: token } }
  }
}
