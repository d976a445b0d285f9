import { createServer, type Socket } from 'node:net'
import type { Host } from '../world/model.js'
import type { World } from '../world/world.js'
import { directly, publicAddressOf } from './reach.js'
import type { Started } from './way.js'

type Connect = (host: Host, socket: Socket) => void

/** Listens at the public addresses of the world's machines, for the operator whom the world file names; at none without one. */
export function startDirect(world: World, connect: Connect): Promise<Started>[] {
  const from = world.spec.operatorAddress
  if (from === undefined) return []
  return [...world.hosts.values()].flatMap((host) => {
    const address = publicAddressOf(world, host.machine)
    return address?.startsWith('127.') === true ? [listen(world, host, address, from, connect)] : []
  })
}

async function listen(world: World, host: Host, address: string, from: string, connect: Connect): Promise<Started> {
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket.setNoDelay(true))
    socket.on('close', () => open.delete(socket))
    socket.on('error', () => undefined)
    const reached = directly(world, host, from)
    // The system has taken the connection already, whatever a security group says: nobody says anything on it.
    if ('refusedAfterMs' in reached) world.clock.schedule(reached.refusedAfterMs, () => socket.destroy())
    else if (world.real) world.real.forward(host, socket)
    else connect(host, socket)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(22, address, () => resolve())
  })
  return {
    way: { network: host.network, via: 'direct' },
    stop: () =>
      new Promise((resolve) => {
        for (const socket of open) socket.destroy()
        server.close(() => resolve())
      }),
  }
}
