import { describe, expect, it } from 'vitest'
import { crashAt, placeOf, placesFor, placeText, type CrashPoint, type Hands } from '../../src/cli/trial/crash.js'
import { Disk } from '../../src/virtual/disk.js'

const points: readonly CrashPoint[] = [
  { number: 1, when: 'before', what: 'arm GET /subscriptions' },
  { number: 1, when: 'after', what: 'arm GET /subscriptions' },
  { number: 2, when: 'before', what: 'journal step.intent', bytes: 5 },
  { number: 2, when: 'after', what: 'journal step.intent', bytes: 5 },
]

describe('where a run can crash', () => {
  it.each([
    ['kill', ['1-before', '1-after', '2-before', '2-after']],
    ['sigterm', ['1-before', '2-before']],
    ['sigint', ['1-before', '2-before']],
    ['full-disk', ['2-before-0', '2-before-2']],
    ['torn', ['2-before-1', '2-before-2', '2-before-3', '2-before-4']],
  ] as const)('%s: %j', (how, places) => {
    expect(placesFor(how, points).map(placeText)).toEqual(places)
  })

  it('is told so that it can be given again', () => {
    for (const how of ['kill', 'full-disk', 'torn'] as const) {
      for (const point of placesFor(how, points)) expect(point).toMatchObject(placeOf(placeText(point)) ?? { no: 'place' })
    }
    for (const text of ['', '0-before', '1', '1-between', '1-before-', '1-before-x', '-1-before']) expect(placeOf(text)).toBeUndefined()
  })

  it('is that point and no other, and what befalls the run there is what was asked for', () => {
    const [before, after] = [points[2], points[3]]
    if (before === undefined || after === undefined) throw new TypeError('no points')
    const meets = (how: Parameters<typeof crashAt>[0], { number, when }: CrashPoint): unknown[] => {
      const met: unknown[] = []
      const tell = (...what: unknown[]): true => {
        met.push(...what)
        return true
      }
      const hands: Hands = { interrupts: { receive: (signal) => tell(signal) }, disk: { fill: (bytes) => tell('full', bytes), tear: (bytes) => tell('torn', bytes) } }
      const call = { door: 'journal', what: 'step.intent', writes: true } as const
      return [crashAt(how, { number: 2, when: 'before', bytes: 3 })({ number, when, call }, hands), ...met]
    }
    expect(meets('kill', before)).toEqual([true])
    expect(meets('kill', after)).toEqual([false])
    expect(meets('sigterm', before)).toEqual([false, 'SIGTERM'])
    expect(meets('sigint', before)).toEqual([false, 'SIGINT'])
    expect(meets('full-disk', before)).toEqual([false, 'full', 3])
    expect(meets('torn', before)).toEqual([false, 'torn', 3])
  })
})

describe('the disk of a journal', () => {
  async function written(disk: Disk, texts: readonly string[]): Promise<unknown[]> {
    const all: unknown[] = []
    for (const text of texts) {
      await disk
        .append(text, async (part) => void all.push(part.toString()), () => all.push('gone'))
        .catch((error: unknown) => all.push((error as { code?: string }).code))
    }
    return all
  }

  it('takes everything while there is room', async () => {
    expect(await written(new Disk(), ['one', 'two'])).toEqual(['one', 'two'])
  })

  it('takes what there is room for, and nothing from then on', async () => {
    const disk = new Disk()
    disk.fill(4)
    expect(await written(disk, ['one', 'two', 'three'])).toEqual(['one', 't', 'ENOSPC', 'ENOSPC'])
  })

  it('without any room takes nothing at all', async () => {
    const disk = new Disk()
    disk.fill(0)
    expect(await written(disk, ['one'])).toEqual(['ENOSPC'])
  })

  it('of which the power goes has what was written until then, of which nobody hears', async () => {
    const disk = new Disk()
    disk.tear(2)
    expect(await written(disk, ['one'])).toEqual(['on', 'gone', 'ENOSPC'])
  })
})
