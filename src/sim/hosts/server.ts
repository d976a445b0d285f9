import type { AddressInfo } from 'node:net'
import ssh2, { type AuthContext, type Connection, type ServerChannel } from 'ssh2'
import type { Host } from '../world/model.js'
import type { World } from '../world/world.js'
import { startDirect } from './direct.js'
import { execute, jumpKeys, jumpUser, throughJump, type JumpHost } from './reach.js'
import { hostShell } from './shell.js'
import type { SshWay, Started } from './way.js'

const { Server, utils } = ssh2

/**
 * ssh2's chacha20-poly1305 garbles a connection that runs inside another one; the ciphers of Node's own crypto do not. Its curve25519
 * exports a key that it has just generated, where Node 20 may wait for itself for ever (`pki.ts`); the other curves do not.
 */
const algorithms = {
  cipher: ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com', 'aes256-ctr'],
  kex: ['ecdh-sha2-nistp256', 'ecdh-sha2-nistp384'],
} satisfies ssh2.Algorithms

export interface Hosts {
  readonly ssh: readonly SshWay[]
  stop(): Promise<void>
}

/**
 * Starts a jump host for each network of the world's `jumpHosts`, listens for an operator who needs none, and gives `runCommand` the
 * shell that SSH has.
 */
export async function startHosts(world: World): Promise<Hosts> {
  if (!world.real) world.shell = hostShell(world)
  const inside = new Map<Host, Inside>()
  const doors = await Promise.all([
    ...world.spec.jumpHosts.map((jump) => startJumpHost(world, jump, inside)),
    ...startDirect(world, (host, socket) => connect(world, host, socket, inside)),
  ])
  const watch = (): void => {
    for (const { connections, host } of inside.values()) {
      // The system is gone: its end of every connection falls silent, and the jump host lets go of it.
      if (connections.size > 0 && !world.answersTo(host.machine, 'a connection by ssh')) for (const connection of connections) connection.end()
    }
  }
  world.onChange.add(watch)
  return {
    ssh: doors.map((door) => door.way),
    stop: async () => {
      world.onChange.delete(watch)
      for (const { connections } of inside.values()) for (const connection of connections) connection.end()
      await Promise.all(doors.map((door) => door.stop()))
    },
  }
}

/** The SSH server of one machine, with who is connected to it. */
interface Inside {
  readonly host: Host
  readonly server: InstanceType<typeof Server>
  readonly connections: Set<Connection>
}

async function startJumpHost(world: World, jump: JumpHost, inside: Map<Host, Inside>): Promise<Started> {
  const key = world.makeKey('jump')
  const clients = new Set<Connection>()
  const server = new Server({ hostKeys: [key.private], algorithms }, (client) => {
    // Otherwise small packets wait for each other (Nagle, delayed acknowledgement): half a second for each call.
    ;(client as Connection & { setNoDelay(on: boolean): void }).setNoDelay(true)
    clients.add(client)
    client.on('close', () => clients.delete(client))
    client.on('error', () => undefined)
    client.on('authentication', (context) => letIn(context, jumpUser, jumpKeys(world)))
    client.on('tcpip', (accept, reject, { destIP, destPort }) => {
      const reached = throughJump(world, jump, destIP, destPort)
      if ('refusedAfterMs' in reached) {
        const { refusedAfterMs } = reached
        if (refusedAfterMs === 0) reject()
        else world.clock.schedule(refusedAfterMs, () => reject())
      } else if (world.real) world.real.forward(reached.host, accept())
      else connect(world, reached.host, asSocket(accept()), inside)
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve())
  })
  const { port } = server.address() as AddressInfo
  return {
    way: { network: jump.network, via: { jump: { host: '127.0.0.1', port, user: jumpUser, hostKey: key.public } } },
    stop: () =>
      new Promise((resolve) => {
        for (const client of clients) client.end()
        server.close(() => resolve())
      }),
  }
}

/** One connection of a client, as ssh2's server takes it. */
type Incoming = Parameters<InstanceType<typeof Server>['injectSocket']>[0]

function connect(world: World, host: Host, stream: Incoming, inside: Map<Host, Inside>): void {
  let here = inside.get(host)
  if (!here) {
    const connections = new Set<Connection>()
    const server = new Server({ hostKeys: [host.hostKey.private], algorithms }, (client) => serve(world, host, client, connections))
    here = { host, server, connections }
    inside.set(host, here)
  }
  stream.on('error', () => undefined)
  // A client that is gone ends its half only; a server's socket then closes the other one.
  stream.on('end', () => stream.end())
  here.server.injectSocket(stream)
}

/** A forwarded channel, with the few things of a socket that the server sets. */
function asSocket(stream: ServerChannel): Incoming {
  const nothing = (): ServerChannel => stream
  return Object.assign(stream, { setNoDelay: nothing, setKeepAlive: nothing, setTimeout: nothing, remoteAddress: '127.0.0.1' }) as never
}

function serve(world: World, host: Host, client: Connection, connections: Set<Connection>): void {
  connections.add(client)
  client.on('close', () => connections.delete(client))
  client.on('error', () => undefined)
  client.on('authentication', (context) => letIn(context, host.user, host.authorizedKeys))
  client.on('session', (accept) => {
    const session = accept()
    session.on('env', (ok) => (ok as (() => void) | undefined)?.())
    session.on('exec', (open, _reject, { command }) => {
      const afterMs = world.sshBreaks()
      const breaks = afterMs === undefined ? undefined : { afterMs, cut: () => void client.end() }
      void serveCommand(world, host, open(), command, breaks)
    })
  })
}

/** How a connection breaks, so long after the command has had its input. */
interface Breaks {
  readonly afterMs: number
  cut(): void
}

/** Runs a command and answers to whoever is still connected. */
async function serveCommand(world: World, host: Host, channel: ServerChannel, command: string, breaks?: Breaks): Promise<void> {
  channel.on('error', () => undefined)
  const chunks: Buffer[] = []
  channel.on('data', (chunk: Buffer) => chunks.push(chunk))
  const input = new Promise<string>((resolve) => {
    const done = (): void => resolve(Buffer.concat(chunks).toString('utf8'))
    channel.on('end', done)
    channel.on('close', done)
  })
  if (breaks !== undefined) void input.then(() => world.clock.schedule(breaks.afterMs, () => breaks.cut()))
  const result = await execute(world, host, () => input, command)
  // Whatever is over sooner than that is not heard of either.
  if (breaks !== undefined) return
  if (!world.answersTo(host.machine, 'a command by ssh') || channel.destroyed || !channel.writable) return
  if (result.stdout !== '') channel.write(result.stdout)
  if (result.stderr !== '') channel.stderr.write(result.stderr)
  channel.exit(result.exitCode)
  channel.end()
}

/** Public keys only. The first look carries no signature; it asks whether this key is worth one. */
function letIn(context: AuthContext, user: string, publicKeys: readonly string[]): void {
  if (context.method !== 'publickey') return context.reject(['publickey'])
  const { blob, signature, hashAlgo, key } = context
  const known = publicKeys.flatMap((line) => {
    const parsed = utils.parseKey(line)
    return parsed instanceof Error ? [] : parsed
  })
  const match = known.find((one) => one.type === key.algo && one.getPublicSSH().equals(key.data))
  if (!match || context.username !== user) return context.reject(['publickey'])
  // ssh2 gives an error back, as a value, for a signature that it cannot read.
  const verdict: unknown = signature && blob ? match.verify(blob, signature, hashAlgo) : true
  if (verdict !== true) return context.reject(['publickey'])
  context.accept()
}
