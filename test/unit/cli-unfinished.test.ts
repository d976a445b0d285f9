import { expect, it } from 'vitest'
import type { Invocation } from '../../src/cli/invocation.js'
import type { Screen } from '../../src/cli/screen.js'
import { fateOf, refuseUnread, unfinishedBefore, type FreshWish, type Unfinished } from '../../src/cli/unfinished.js'
import { StateFolder, type RecordData, type RecordType } from '../../src/journal/index.js'
import { planned, started } from '../helpers/journal-samples.js'
import { tempFolder } from '../helpers/temp-folder.js'

type Entry = { readonly [T in RecordType]: readonly [T, RecordData[T]] }[RecordType]

const [older, later] = ['20190225-124003-data100-aaaa', '20190225-134003-data100-bbbb']
const plain = { input: false, color: false } as const
const target = { mode: 'run', runbook: started.runbook, cloud: started.cloud } as const
const ended = (outcome: 'failed' | 'succeeded'): readonly Entry[] => [['run.started', started], ['run.planned', planned], ['run.finished', { outcome, elapsedMs: 1, wallMs: 1 }]]

const ofNewer = [['run.started', started], ['run.unheard-of', {}]] as unknown as readonly Entry[]

/** An older run, if there is one, and a later one that is of a newer lifeboat. */
async function stateAfter(before: readonly Entry[] | undefined): Promise<StateFolder> {
  const state = new StateFolder(tempFolder())
  for (const [run, entries] of [...(before === undefined ? [] : [[older, before] as const]), [later, ofNewer] as const]) {
    const journal = await state.create(run, () => new Date())
    for (const [type, data] of entries) await journal.append(type, data)
    await journal.close()
  }
  return state
}

it.each([['is finished', ended('succeeded')], ['is not there', undefined]])('beside a run that nobody can read nothing is begun unasked where an older one %s', async (_what, before) => {
  const state = await stateAfter(before)
  await expect(unfinishedBefore(state, target, refuseUnread(plain))).rejects.toMatchObject({
    message: expect.stringContaining(`whether the run ${later} is finished cannot be told: `) as string,
    hint: 'Nothing was changed. Use the lifeboat that wrote it. To begin afresh all the same, add --fresh.',
  })
  expect(await unfinishedBefore(state, target, refuseUnread({ ...plain, fresh: true }))).toBeUndefined()
  // Of a rehearsal nothing hangs on it.
  expect(await unfinishedBefore(state, target)).toBeUndefined()
})

const rack = { id: 'rack', uses: 'exec', name: 'rack', after: [], state: 'pending' } as unknown as RecordData['run.planned']['steps'][number]
const halfDone: readonly Entry[] = [
  ['run.started', started],
  ['run.planned', { ...planned, steps: [rack] }],
  ['step.intent', { step: 'rack', changes: [{ action: 'create', resource: 'rack', before: null, after: {} } as never] }],
  ['run.finished', { outcome: 'failed', elapsedMs: 1, wallMs: 1 }],
]
const alone = { interrupts: {} } as unknown as Invocation
const fate = async (earlier: Unfinished | undefined, options: FreshWish = plain) => {
  const notices: string[] = []
  const screen = { canAsk: false, notice: (text: string) => void notices.push(text) } as unknown as Screen
  if (earlier === undefined) throw new TypeError('nothing was found')
  const said = await fateOf(earlier, options, alone, screen, new Date('2019-02-25T12:50:03.000Z')).catch((error: unknown) => error)
  return { said, notices }
}

it('a run that nobody can read does not hide an older one that is half done', async () => {
  const state = await stateAfter(halfDone)
  const earlier = await unfinishedBefore(state, target, refuseUnread(plain))
  expect(earlier).toMatchObject({ run: older, unread: { run: later } })
  const words = new RegExp(`^A later run, ${later}, cannot be read: .* a newer lifeboat wrote it\\. The run ${older} of data100 is not finished: it failed`)
  expect((await fate(earlier)).said).toMatchObject({
    message: expect.stringMatching(words) as string,
    hint: expect.stringContaining(`To go on with it: lifeboat resume ${older}`) as string,
  })
  expect(await fate(earlier, { ...plain, fresh: true })).toEqual({ said: 'fresh', notices: [expect.stringMatching(words)] })
})

it('an older one that has changed nothing is no reason to begin beside a run that nobody can read', async () => {
  const earlier = await unfinishedBefore(await stateAfter(ended('failed')), target, refuseUnread(plain))
  const { said, notices } = await fate(earlier)
  expect([said, notices]).toMatchObject([{ message: expect.stringContaining(`whether the run ${later} is finished cannot be told`) as string }, []])
})
