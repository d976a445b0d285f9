import { createHash } from 'node:crypto'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files with whole failovers in them, the longest first: begun last, one of them would have the machine to itself at the end. */
const long = [
  'crash/way-back',
  'crash/points',
  'simulation/mutations',
  'crash/kill',
  'simulation/seeds',
  'simulation/gamedays',
  'sim/failover',
  'crash/lives',
  'sim/sites',
  'sim/readme',
  'sim/attach-first',
  'sim/move-refused',
  'sim/readiness-azure',
  'sim/no-secret',
  'sim/rehearse',
  'sim/screens',
  'sim/many-steps',
  'sim/target',
  'sim/fence-silent',
  'sim/steps-storage',
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
