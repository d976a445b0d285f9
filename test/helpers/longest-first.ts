import { createHash } from 'node:crypto'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** With `CRASH=all` and `SIMULATE=all` these take minutes each; without, some are among the shortest. */
const longInCi = [
  'simulation/mutations',
  'simulation/gamedays',
  'crash/points',
  'simulation/seeds',
  'crash/way-back',
  'crash/kill',
  'simulation/together',
  'crash/lives',
  'sim/sites',
  'sim/attach-first',
]

const isAll = process.env['CRASH'] === 'all' || process.env['SIMULATE'] === 'all'

/** Files with whole failovers in them, the longest first: begun last, one of them would have the machine to itself at the end. */
const long = [
  ...(isAll ? longInCi : []),
  'sim/readme',
  'sim/failover',
  'sim/screens',
  'crash/way-back',
  'simulation/gamedays',
  'sim/steps-storage',
  'sim/run-again',
  'sim/undo-keeps',
  'sim/move-refused',
  'simulation/seeds',
  'crash/points',
  'sim/steps-release',
  'sim/target',
  'sim/fence-silent',
  'sim/rehearse',
  'sim/reboot',
  'sim/many-steps',
  'sim/doors-helm',
  'sim/bad-cloud',
  'sim/no-secret',
  'sim/hands',
  'sim/readiness-azure',
  'sim/bad-machine',
  'sim/run-log',
  'simulation/mutations',
  'simulation/together',
  'lab/storage',
  'lab/killed',
].map((name) => `/test/${name}.test.ts`)

/** Files in an order of chance (by the seed that a run prints), but for those that take longest. */
export default class LongestFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { seed } = this.ctx.config.sequence
    const orderOf = ({ moduleId }: TestSpecification): string => {
      const rank = long.findIndex((name) => moduleId.endsWith(name))
      const place = String(rank < 0 ? long.length : rank).padStart(2, '0')
      return place + createHash('sha256').update(`${String(seed)} ${moduleId}`).digest('hex')
    }
    const orders = new Map(files.map((file) => [file, orderOf(file)]))
    return Promise.resolve([...files].sort((one, other) => (orders.get(one)! < orders.get(other)! ? -1 : 1)))
  }
}
