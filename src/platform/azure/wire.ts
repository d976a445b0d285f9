import type { AccessToken, TokenCredential } from '@azure/core-auth'
import { createHttpHeaders, RestError, type HttpClient, type PipelineRequest, type PipelineResponse } from '@azure/core-rest-pipeline'

/** One HTTP request of an SDK, all that an Azure Resource Manager gets to see of it. */
export interface WireRequest {
  readonly method: string
  readonly url: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly signal?: AbortSignal
}

export interface WireAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Carries requests elsewhere than through sockets. */
export interface AzureWire {
  /** Rejects for a connection that is lost, with the system's code (`ECONNRESET`) in `code`. */
  send(request: WireRequest): Promise<WireAnswer>
  /** Does something after so many milliseconds of the machine that sends, unless what it answers is called before. */
  readonly after: (ms: number, act: () => void) => () => void
  /** A token for what the cloud file's credential stands for, and its end in Unix milliseconds. */
  token(): Promise<{ readonly token: string; readonly untilMs: number }>
}

/** The wire as the SDKs take it. */
export function clientOver(wire: AzureWire): HttpClient {
  return {
    async sendRequest(request): Promise<PipelineResponse> {
      const { status, headers, body } = await wire.send(wireRequest(request)).catch((error: unknown) => {
        throw lost(request, error)
      })
      return { request, status, headers: createHttpHeaders({ ...headers }), bodyAsText: body }
    },
  }
}

export function credentialOver(wire: AzureWire): TokenCredential {
  return {
    async getToken(): Promise<AccessToken> {
      const given = await wire.token()
      return { token: given.token, expiresOnTimestamp: given.untilMs }
    },
  }
}

function wireRequest({ method, url, headers, body, abortSignal }: PipelineRequest): WireRequest {
  return {
    method,
    url,
    headers: headers.toJSON(),
    body: typeof body === 'string' ? body : '',
    ...(abortSignal instanceof AbortSignal ? { signal: abortSignal } : {}),
  }
}

/** As the SDKs' own client tells it. */
function lost(request: PipelineRequest, error: unknown): Error {
  if (request.abortSignal?.aborted === true) return error instanceof Error ? error : new Error(String(error))
  const code = error instanceof Error && 'code' in error ? String(error.code) : RestError.REQUEST_SEND_ERROR
  return new RestError(error instanceof Error ? error.message : String(error), { code, request })
}
