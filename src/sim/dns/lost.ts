import type { World } from '../world/world.js'
import { toldBy } from './answers.js'

/** `silent`: answers nobody; `behind`: goes on with what it tells now, whatever is changed; `back`: as it should be. */
export type NameServerState = 'silent' | 'behind' | 'back'

/**
 * What a name server of a zone does from now on; false where no zone has it. `met` is told each question that it does not answer as it
 * should.
 */
export function setNameServer(world: World, name: string, is: NameServerState, met: (question: string) => void = () => undefined): boolean {
  const server = name.toLowerCase()
  const zone = world.spec.zones.find(({ nameServers }) => nameServers.some((one) => one.toLowerCase() === server))
  if (zone === undefined) return false
  if (is === 'back') world.lostNameServers.delete(server)
  else world.lostNameServers.set(server, is === 'silent' ? { met } : { met, tells: new Map(toldBy(world, zone, server)) })
  return true
}
