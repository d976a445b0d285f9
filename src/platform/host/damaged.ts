import { LifeboatError } from '../../contract/index.js'
import { deviceFolder } from './devices.js'

export interface DamagedPool {
  readonly guid: string
  readonly name: string
  /** Its last server never exported it: every import needs `-f`, which only takes the mark of that server away. */
  readonly force: boolean
}

/**
 * A pool whose last state ZFS cannot read. What there is to do gives up data, or takes long: it is told, with what it costs, and never
 * done here (zpool-import(8): `-F` throws away what was written last, `-X` may make the pool worse). `said` is what ZFS said of it.
 */
export function damagedPool({ guid, name, force }: DamagedPool, said: string): LifeboatError {
  const [, loss] = /Approximately (\d+ \w+) of data/.exec(said) ?? []
  const command = (...options: string[]): string =>
    `\`${['sudo', 'zpool', 'import', ...(force ? ['-f'] : []), ...options, '-N', '-d', deviceFolder, '-o', 'cachefile=none', guid].join(' ')}\``
  const ways = [
    `${command('-F', '-n')} costs nothing: it only tells whether an older state can be read, and how much was written since`,
    `${command('-o', 'readonly=on')} costs time: it writes nothing; if it works, files can be copied elsewhere, and until then nobody can save`,
    `${command('-F')} costs what was written last, for good (${loss === undefined ? 'the first command tells how much' : `about ${loss}, says ZFS`})`,
    `${command('-F', '-X')} costs hours, and all since a state that may be far back, or the pool itself: last, and only on copies of the disks`,
  ]
  const mark = force ? ' `-f` only where it is proved that no other server has the disks.' : ''
  return new LifeboatError('zfs.damaged', `ZFS cannot read the last state of the pool ${name}: ${said}`, {
    blame: 'user',
    hint:
      'Nothing was written to its disks. What could be done gives up data or takes long, so no run does it: a person decides. To consider on that ' +
      `server, what costs least first: ${numbered(ways)}. The snapshots that were made after the fence are copies to try it on.${mark} After ` +
      `\`-F\`, \`zpool scrub ${name}\`. Once it is imported, resume looks at it and goes on.`,
  })
}

const numbered = (ways: readonly string[]): string => ways.map((way, at) => `(${at + 1}) ${way}`).join('. ')
