import { createServer } from 'node:https'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'
import { makeAuthority, type Authority } from '../pki.js'
import type { World } from '../world/world.js'
import { throwAway, type Hubs } from './hub.js'

type Server = ReturnType<typeof createServer>

/** Serves the hubs on loopback: one server an address, so that it knows at which one it was asked. */
export class HubServers {
  readonly #world: World
  readonly #hubs: Hubs
  readonly #authority: Authority
  readonly #fake: Authority
  readonly #servers = new Map<string, Server>()

  constructor(world: World, hubs: Hubs, authority: Authority) {
    this.#world = world
    this.#hubs = hubs
    this.#authority = authority
    this.#fake = makeAuthority(throwAway, Date.now())
  }

  /** Opens servers for addresses that are new. Called on every change. */
  async refresh(): Promise<void> {
    const addresses = this.#hubs.addresses()
    for (const [address, server] of this.#servers) if (!addresses.has(address)) this.#close(address, server)
    for (const address of addresses) {
      if (!this.#servers.has(address)) await this.#open(address)
    }
  }

  async stop(): Promise<void> {
    for (const server of this.#servers.values()) {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }

  async #open(address: string): Promise<void> {
    const server = createServer({ SNICallback: (name, done) => done(null, this.#context(name, address)) }, (request, response) => {
      const answer = this.#hubs.answer(sniOf(request), address, request.method ?? 'GET', request.url ?? '/')
      if (answer === undefined) return void request.socket.destroy()
      response.writeHead(answer.status, { 'content-type': answer.type }).end(answer.body)
    })
    this.#servers.set(address, server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    this.#world.routes.set(`${address}:443`, (server.address() as AddressInfo).port)
  }

  /** Nobody is at this address any more: what asks there is answered by nobody. */
  #close(address: string, server: Server): void {
    this.#servers.delete(address)
    this.#world.routes.delete(`${address}:443`)
    server.closeAllConnections()
    server.close()
  }

  #context(name: string, address: string) {
    const { cert, key } = this.#hubs.isCertified(name, address) ? this.#authority.issue([name]) : this.#fake.issue(['ingress.local'])
    return createSecureContext({ cert, key })
  }
}

/** The name that the client asked for in its TLS hello. */
function sniOf({ socket }: IncomingMessage): string {
  const name: unknown = socket instanceof TLSSocket && 'servername' in socket ? socket.servername : undefined
  return typeof name === 'string' ? name : ''
}
