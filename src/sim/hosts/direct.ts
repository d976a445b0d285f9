import { createServer, type Socket } from 'node:net'
import { allows } from '../world/firewall.js'
import type { Host } from '../world/model.js'
import type { World } from '../world/world.js'
import type { Started } from './way.js'

type Fields = Readonly<Record<string, unknown>>
const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {})
const first = (value: unknown): Fields => fields(Array.isArray(value) ? value[0] : undefined)

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
    if (allows(world, host.machine, from, 22) && world.answers(host.machine)) {
      if (world.real) world.real.forward(host, socket)
      else connect(host, socket)
      return
    }
    // Behind a security group packets are lost. Here the system has taken the connection already: nobody says anything on it.
    world.clock.schedule(world.durationOf('ssh timeout'), () => socket.destroy())
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

/** Of the first interface, as the control plane tells it. */
function publicAddressOf(world: World, machine: string): string | undefined {
  const nic = first(fields(world.resource(machine)?.properties['networkProfile'])['networkInterfaces'])['id']
  const place = fields(first(fields(typeof nic === 'string' ? world.resource(nic)?.properties : undefined)['ipConfigurations'])['properties'])
  const id = fields(place['publicIPAddress'])['id']
  const address = typeof id === 'string' ? world.resource(id)?.properties['ipAddress'] : undefined
  return typeof address === 'string' ? address : undefined
}
