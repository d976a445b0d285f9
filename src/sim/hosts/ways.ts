import type { Host } from '../world/model.js'
import type { World } from '../world/world.js'
import { directly, jumpUser, publicAddressOf, throughJump, type JumpHost, type Reached } from './reach.js'
import { hostShell } from './shell.js'
import type { SshWay } from './way.js'

/** A jump host that can be asked without a connection. */
export interface Jump {
  readonly user: string
  /** One line: type and key. */
  readonly hostKey: string
  /** Where it leads whoever was let in. */
  to(address: string, port: number): Reached
}

/** The ways by SSH into a world's networks, for callers in this process. */
export interface Ways {
  readonly ssh: readonly SshWay[]
  jumpAt(host: string, port: number): Jump | undefined
  /** The machine at a public address, for the operator whom the world file names. */
  directTo(address: string): Reached | undefined
}

/** Of jump hosts that nobody listens for: a number for each. */
const firstPort = 2201

/** What `startHosts` is over sockets: the same ways, and the same shell for `runCommand`. */
export function openWays(world: World): Ways {
  world.shell = hostShell(world)
  const jumps = world.spec.jumpHosts.map((jump, at) => ({ jump, port: firstPort + at, hostKey: world.makeKey('jump').public }))
  const from = world.spec.operatorAddress
  return {
    ssh: [
      ...jumps.map(({ jump: { network }, port, hostKey }) => ({ network, via: { jump: { host: '127.0.0.1' as const, port, user: jumpUser, hostKey } } })),
      ...(from === undefined ? [] : withPublicAddress(world).map(({ host }) => ({ network: host.network, via: 'direct' as const }))),
    ],
    jumpAt(host, port) {
      const found = host === '127.0.0.1' ? jumps.find((one) => one.port === port) : undefined
      return found && { user: jumpUser, hostKey: found.hostKey, to: toOf(world, found.jump) }
    },
    directTo(address) {
      const found = withPublicAddress(world).find((one) => one.address === address)
      return found === undefined || from === undefined ? undefined : directly(world, found.host, from)
    },
  }
}

function toOf(world: World, jump: JumpHost): Jump['to'] {
  return (address, port) => throughJump(world, jump, address, port)
}

function withPublicAddress(world: World): { host: Host; address: string }[] {
  return [...world.hosts.values()].flatMap((host) => {
    const address = publicAddressOf(world, host.machine)
    return address === undefined ? [] : [{ host, address }]
  })
}
