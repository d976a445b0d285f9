import type { Clock } from '../contract/index.js'
import type { AzureDoor } from './azure/door.js'
import type { CommandDoor } from './command/door.js'
import type { DnsDoor } from './dns/door.js'
import type { HelmDoor } from './helm/door.js'
import type { HttpDoor } from './http/door.js'
import type { KubeDoor } from './kube/door.js'
import type { SshDoor } from './ssh/door.js'

/** The doors to the outside, as one step sees them. A step reaches the world through these and through nothing else. */
export interface Platform {
  readonly azure: AzureDoor
  readonly ssh: SshDoor
  readonly helm: HelmDoor
  readonly kube: KubeDoor
  readonly dns: DnsDoor
  readonly http: HttpDoor
  readonly command: CommandDoor
  readonly clock: Clock
}
