import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { largestBody, type Answer, type KubeCall } from './api/call.js'
import type { Outcome } from './api/router.js'

/** Answers one request; undefined if the API server is dead. */
export type AnswerCall = (call: KubeCall) => Outcome | undefined

/** An API over HTTP: for any server to hand requests to. */
export class OverHttp {
  readonly #answer: AnswerCall
  readonly #sockets = new Set<Socket>()

  constructor(answer: AnswerCall) {
    this.#answer = answer
  }

  /** Answers one request. Never throws. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request
    if (!this.#sockets.has(socket)) {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    }
    const body = await readBody(request).catch(() => undefined)
    if (body === undefined) return
    const outcome = this.#answer({ method: request.method ?? 'GET', url: request.url ?? '/', headers: request.headers, body })
    if (outcome === undefined) return void socket.destroy()
    if (!('stream' in outcome)) return send(response, outcome)
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' })
    response.flushHeaders()
    const end = outcome.stream({
      send: (type, object) => void response.write(`${JSON.stringify({ type, object })}\n`),
      end: () => void response.end(),
      cut: () => void socket.destroy(),
    })
    response.once('close', end)
  }

  /** Cuts every connection off. One that ends in order would say that all is well. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#sockets.clear()
  }
}

/** The whole body; of one that is too large, a little more than is allowed. */
async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if (length <= largestBody) chunks.push(chunk)
    length += chunk.length
  }
  return Buffer.concat(chunks)
}

function send(response: ServerResponse, { status, body, contentType = 'application/json', warnings = [] }: Answer): void {
  if (response.destroyed) return
  // RFC 7234: code, agent, text; kubectl prints them.
  if (warnings.length > 0) response.setHeader('warning', warnings.map((one) => `299 - ${JSON.stringify(one)}`))
  response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-cache, private' })
  response.end(typeof body === 'string' ? body : JSON.stringify(body))
}
