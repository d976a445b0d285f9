/** HTTPS by name against a given address, through the cloud file's proxy where it has one. */
export interface HttpDoor {
  get(request: HttpRequest): Promise<HttpAnswer>
}

export interface HttpRequest {
  readonly host: string
  /** Address to connect to instead of what the name resolves to. */
  readonly address?: string
  readonly path: string
  /** `any` takes every certificate and says which it was. */
  readonly tls: 'any' | 'verify'
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

export interface HttpAnswer {
  readonly status: number
  readonly body: string
  readonly certificate: { readonly subject: string; readonly issuer: string; readonly validTo: string; readonly trusted: boolean }
}
