import { allows } from '../world/firewall.js'
import { sameId } from '../world/ids.js'
import type { Host, RequestEntry } from '../world/model.js'
import type { ShellResult } from '../world/shell.js'
import type { World } from '../world/world.js'
import { changes } from './judge.js'
import { runOnHost } from './shell.js'

export type JumpHost = World['spec']['jumpHosts'][number]

/** The only user of every jump host. */
export const jumpUser = 'operator'

/** The keys that jump hosts let in, as public lines: those of the world's operators. */
export function jumpKeys(world: World): readonly string[] {
  return [...world.keys.values()].map((one) => one.public)
}

/** The machine to which a connection leads; or after how many of the world's milliseconds it is known that there is none. */
export type Reached = { readonly host: Host } | { readonly refusedAfterMs: number }

/** Where a jump host leads whoever was let in and asks for this address. */
export function throughJump(world: World, { network, address }: JumpHost, to: string, port: number): Reached {
  // Into its network it leads, not to itself.
  if (to === '127.0.0.1') return { refusedAfterMs: 0 }
  const host = hostAt(world, network, to)
  const isLetIn = host !== undefined && allows(world, host.machine, address, port)
  if (port === 22 && isLetIn && world.answersTo(host.machine, 'a connection by ssh')) return { host }
  // A machine that runs and has no server yet refuses at once; to one that is not there, and behind a security group that
  // does not let them in, packets are lost for a while.
  const refusesAtOnce = isLetIn && host.power === 'running' && host.answers
  return { refusedAfterMs: refusesAtOnce ? 0 : world.durationOf('ssh timeout') }
}

/** Where an operator comes who goes to a machine's public address from this one. */
export function directly(world: World, host: Host, from: string): Reached {
  const isLetIn = allows(world, host.machine, from, 22) && world.answersTo(host.machine, 'a connection by ssh')
  // Behind a security group packets are lost.
  return isLetIn ? { host } : { refusedAfterMs: world.durationOf('ssh timeout') }
}

/** Whose private address that is, in this network and in no other: old and new server may have the same one. */
function hostAt(world: World, network: string, address: string): Host | undefined {
  return [...world.hosts.values()].find((host) => sameId(host.network, network) && host.address === address && host.power !== 'deallocated')
}

/** Who has sent something, where that is known. */
export type Sender = Pick<RequestEntry, 'by' | 'program'>

/** Runs a command line as sshd does, to its end, whatever becomes of the connection, and notes it in the access log. */
export async function execute(
  world: World,
  host: Host,
  stdin: () => Promise<string>,
  command: string,
  sender: Sender = {},
): Promise<ShellResult> {
  world.arrived({ door: 'ssh', method: 'EXEC', path: command })
  let result: ShellResult
  try {
    result = await runOnHost(world, host, { user: host.user, stdin }, command)
  } catch (error) {
    result = { exitCode: 254, stdout: '', stderr: `simulated host: ${String(error)}\n` }
  }
  world.log({ door: 'ssh', method: 'EXEC', path: command, status: result.exitCode, writes: changes(command), ...sender })
  return result
}

type Fields = Readonly<Record<string, unknown>>
const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {})
const first = (value: unknown): Fields => fields(Array.isArray(value) ? value[0] : undefined)

/** A machine's public address: that of its first interface, as the control plane tells it. */
export function publicAddressOf(world: World, machine: string): string | undefined {
  const nic = first(fields(world.resource(machine)?.properties['networkProfile'])['networkInterfaces'])['id']
  const place = fields(first(fields(typeof nic === 'string' ? world.resource(nic)?.properties : undefined)['ipConfigurations'])['properties'])
  const id = fields(place['publicIPAddress'])['id']
  const address = typeof id === 'string' ? world.resource(id)?.properties['ipAddress'] : undefined
  return typeof address === 'string' ? address : undefined
}
