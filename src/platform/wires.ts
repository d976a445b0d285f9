import type { Clock, Log } from '../contract/index.js'
import type { AzureWire } from './azure/wire.js'
import type { DnsDoor } from './dns/door.js'
import type { Exec, ExecOptions } from './exec/command.js'
import type { HttpDoor } from './http/door.js'

/**
 * What carries the doors' work out of this process: sockets and programs of this machine, unless others are given. Game days and
 * simulations give those of a world that lies within the process. The doors themselves are the same either way.
 */
export interface Wires {
  readonly azure: AzureWire
  readonly exec: (options: ExecOptions) => Exec
  readonly http: (options: { readonly clock: Clock; readonly log?: Log }) => HttpDoor
  readonly dns: DnsDoor
}
