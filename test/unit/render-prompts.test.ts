import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { LifeboatError, type Question, type RunEvent } from '../../src/contract/index.js'
import { terminalAsker, type Asker } from '../../src/render/ask/asker.js'
import type { Card } from '../../src/render/ask/card.js'
import { noPaint } from '../../src/render/color.js'
import { errorLines } from '../../src/render/diagnostics.js'
import { Output } from '../../src/render/output.js'
import { Stage } from '../../src/render/stage.js'
import { assumingOperator, confirmByName, personOperator } from '../../src/render/prompts.js'
import type { RunView } from '../../src/render/run-view.js'
import { quickKeyboard } from '../helpers/typed-keys.js'
import { planned, plannedRun, started, startedStep, viewAfter } from '../helpers/render-samples.js'

const never = new AbortController().signal
const error = { code: 'azure.quota', message: 'no cores left', hint: 'Ask for more.', blame: 'user', retryable: false } as const
const gate: Question = { kind: 'gate', step: 'ready', text: 'Cut the old server?' }
const manual: Question = { kind: 'manual', step: 'call', checklist: ['call the dean', 'write the mail'] }
const failure: Question = { kind: 'failure', step: 'cluster', error }
const surprise: Question = {
  kind: 'surprise',
  step: 'dns',
  shown: [{ resource: 'data100', action: 'create' }],
  now: [{ resource: 'data100', action: 'update', before: { ttl: 60 }, after: { ttl: 300 }, harm: 'names go stale' }],
}

/** An asker that answers from a list and remembers what it showed; `open` counts questions that are open at once. */
function scripted(answers: readonly unknown[]): Asker & { shown: string[]; asked: string[]; about: string[]; most: number } {
  const left = [...answers]
  let open = 0
  const answer = async ({ title, about = [] }: Card): Promise<never> => {
    asker.asked.push(title)
    asker.about.push(...about)
    open += 1
    asker.most = Math.max(asker.most, open)
    await Promise.resolve()
    open -= 1
    return left.shift() as never
  }
  const asker = {
    shown: [] as string[],
    asked: [] as string[],
    about: [] as string[],
    most: 0,
    show: (lines: readonly string[]) => void asker.shown.push(...lines),
    select: answer,
    checklist: answer,
    text: answer,
  }
  return asker
}

const ask = (question: Question, asker: Asker) => personOperator({ name: 'ada', asker }).ask(question, never)

describe('the person at the terminal', () => {
  it('passes a gate or stops at it, by name', async () => {
    expect(await ask(gate, scripted(['go']))).toEqual({ choice: 'go', by: 'ada' })
    expect(await ask(gate, scripted(['stop']))).toEqual({ choice: 'stop', by: 'ada' })
  })

  it('has done a checklist only when all of it is ticked', async () => {
    const asker = scripted([[0], 'back', [0, 1]])
    expect(await ask(manual, asker)).toEqual({ choice: 'done', by: 'ada' })
    expect(asker.about).toEqual(['Not done yet:', '- write the mail'])
    expect(await ask(manual, scripted([[], 'stop']))).toEqual({ choice: 'stop', by: 'ada' })
  })

  it('sees a failure with code and hint, and skips only with a reason', async () => {
    const asker = scripted(['skip', ' ', 'done elsewhere'])
    expect(await ask(failure, asker)).toEqual({ choice: 'skip', by: 'ada', reason: 'done elsewhere' })
    expect(asker.about.slice(0, 2)).toEqual(['no cores left [azure.quota]', 'Ask for more.'])
    expect(asker.asked).toEqual(['cluster failed: what now?', ...Array<string>(2).fill('cluster: why may it be skipped?')])
    expect(asker.shown).toEqual([])
  })

  it('is told what cannot go on without a step, and is not offered to verify what nobody can look at', async () => {
    const names = async (question: Question, view?: RunView): Promise<string> => {
      const asker = scripted(['stop'])
      const chosen: string[] = []
      const select = asker.select.bind(asker)
      asker.select = (card, choices, signal) => (chosen.push(...choices.map(({ name }) => name)), select(card, choices, signal))
      await personOperator({ name: 'ada', asker, ...(view === undefined ? {} : { view: () => view }) }).ask(question, never)
      return chosen.join('\n')
    }
    expect(await names(failure)).toContain('Skip it, with a reason; what depends on it goes on without it')
    const alone = viewAfter([{ ...started, steps: [{ id: 'cluster', uses: 'azure/aks-cluster', needs: [] }] } as RunEvent])
    expect(await names(failure, alone)).toContain('Skip it, with a reason; nothing depends on it')
    expect(await names(failure, viewAfter([started]))).toContain('what depends on it goes on without it')
    expect(await names({ ...failure, takers: ['hub'] })).toContain('Skip it, with a reason; hub cannot go on without it')
    expect(await names({ ...failure, takers: ['hub', 'dns', 'check'] })).toContain('hub and 2 more steps cannot go on without it')
    expect(await names({ ...failure, error: { ...error, code: 'step.needs-skipped' } })).not.toContain('by hand')
  })

  it.each([
    [{ blame: 'user' }, 'Mend that, then try again: it looks first'],
    [{ blame: 'cloud', retryable: true }, 'It was tried several times. Trying once more is safe'],
    [{ blame: 'cloud' }, 'Trying again is safe: it looks first'],
    [{ blame: 'tool' }, 'may end in the same way'],
    // Its hint has said it.
    [{ code: 'step.needs-skipped' }, 'Ask for more.'],
  ] as const)('says of each failure what trying again would do: %o', async (facts, said) => {
    const about: string[] = []
    const asker = scripted(['stop'])
    const select = asker.select.bind(asker)
    asker.select = (card, choices, signal) => (about.push(...(card.about ?? [])), select(card, choices, signal))
    await ask({ ...failure, error: { ...error, retryable: false, ...facts } }, asker)
    expect(about.at(-1)).toContain(said)
  })

  it.each(['retry', 'done', 'stop'])('answers a failure with %s', async (choice) => {
    expect(await ask(failure, scripted([choice]))).toEqual({ choice, by: 'ada' })
  })

  it('sees what else a failure offers, with what it would change and whom it harms, and may choose it', async () => {
    const changes = [{ resource: 'server', action: 'run', after: { power: 'off' }, harm: 'it stops' }] as const
    const offering: Question = { ...failure, error: { ...error, alternative: { id: 'other', offer: 'turn it off', changes } } }
    const asker = scripted(['accept', 'back', 'accept', 'go'])
    expect(await ask(offering, asker)).toEqual({ choice: 'accept', by: 'ada', alternative: 'other' })
    expect(asker.about).toContain('There is another way, other: turn it off It makes 1 change besides, which you see first.')
    const shown = asker.shown.join('\n')
    for (const part of ['run server', 'harm: it stops']) expect(shown).toContain(part)
    expect(asker.asked[1]).toBe('cluster: make these changes too?')
  })

  it('chooses another way that changes nothing besides without a second question', async () => {
    const offering: Question = { ...failure, error: { ...error, alternative: { id: 'other', offer: 'leave it.', changes: [] } } }
    expect(await ask(offering, scripted(['accept']))).toEqual({ choice: 'accept', by: 'ada', alternative: 'other' })
  })

  it('sees details of a failure as often as wanted, before it is answered', async () => {
    const view = viewAfter([started, plannedRun, startedStep(1, 'cluster')])
    const asker = scripted(['details', 'details', 'retry'])
    const operator = personOperator({ name: 'ada', asker, view: () => view, statusCommand: (run) => `lifeboat status ${run} --state-dir s` })
    expect(await operator.ask(failure, never)).toEqual({ choice: 'retry', by: 'ada' })
    const once = asker.shown.slice(0, asker.shown.length / 2)
    expect(asker.shown).toEqual([...once, ...once])
    expect(once).toEqual([
      'cluster in detail:',
      '  step     azure/aks-cluster, attempt 1',
      '  error    azure.quota: no cores left',
      '  whose    to be mended on our side; trying again by itself would not have',
      '           helped',
      '  to do    Ask for more.',
      '  waiting  prod',
      '  look     lifeboat status r1 --state-dir s',
      '  It was to make these changes:',
      '    create cluster',
      '        name: cluster',
    ])
  })

  it('sees in details all of a command, however long', async () => {
    const run = ['sh', '-c', `echo ${'a long command '.repeat(20)}`]
    const long = planned('cluster', { changes: [{ resource: 'x', action: 'run', after: { run } }] })
    const view = viewAfter([started, { ...plannedRun, steps: [long] } as RunEvent])
    const asker = scripted(['details', 'retry'])
    await personOperator({ name: 'ada', asker, view: () => view }).ask(failure, never)
    expect(asker.shown.join(' ').replaceAll(/\s+/g, ' ')).toContain(run[2]?.trim())
  })

  it('sees both what was shown and what is needed now', async () => {
    const asker = scripted(['go'])
    expect(await ask(surprise, asker)).toEqual({ choice: 'go', by: 'ada' })
    expect(asker.shown).toEqual([
      'dns: the world has moved on since the plan was shown.',
      'Shown:',
      '  create data100',
      'Now needed:',
      '  update data100',
      '      ttl: 60 → 300',
      '      harm: names go stale',
    ])
  })

  it('is asked one question at a time, in order', async () => {
    const asker = scripted(['go', 'stop', 'go'])
    const operator = personOperator({ name: 'ada', asker })
    const answers = await Promise.all([1, 2, 3].map((step) => operator.ask({ ...gate, step: `s${step}` }, never)))
    expect(answers.map(({ choice }) => choice)).toEqual(['go', 'stop', 'go'])
    expect(asker.asked).toEqual([1, 2, 3].map((step) => `s${step}: Cut the old server?`))
    expect(asker.most).toBe(1)
  })

  it('is not asked once the run is to stop', async () => {
    const asker = scripted(['go'])
    const stopped = AbortSignal.abort(new LifeboatError('interrupted.SIGINT', 'stopped'))
    await expect(personOperator({ name: 'ada', asker }).ask(gate, stopped)).rejects.toThrow('stopped')
    expect(asker.asked).toEqual([])
  })
})

describe('--yes', () => {
  it('passes gates and manual steps, and nothing else', async () => {
    const operator = assumingOperator({ gate: '--yes', manual: '--yes' })
    const choices = await Promise.all([gate, manual, failure, surprise].map((question) => operator.ask(question, never)))
    expect(choices.map(({ choice }) => choice)).toEqual(['go', 'done', 'stop', 'stop'])
    expect(operator.present).toBe(false)
  })

  it('leaves failures and surprises to the person who is there', async () => {
    const operator = assumingOperator({ gate: '--yes', manual: '--yes' }, personOperator({ name: 'ada', asker: scripted(['retry']) }))
    expect(operator.present).toBe(true)
    expect(await operator.ask(failure, never)).toEqual({ choice: 'retry', by: 'ada' })
  })
})

describe('--gate', () => {
  it('auto passes gates alone, in its own name', async () => {
    const operator = assumingOperator({ gate: '--gate auto' }, personOperator({ name: 'ada', asker: scripted([[0, 1]]) }))
    expect(await operator.ask(gate, never)).toEqual({ choice: 'go', by: '--gate auto' })
    expect(await operator.ask(manual, never)).toEqual({ choice: 'done', by: 'ada' })
  })

  it('ask leaves gates to the person, whom --yes spares manual steps', async () => {
    const operator = assumingOperator({ manual: '--yes' }, personOperator({ name: 'ada', asker: scripted(['stop']) }))
    expect(await operator.ask(gate, never)).toEqual({ choice: 'stop', by: 'ada' })
    expect(await operator.ask(manual, never)).toEqual({ choice: 'done', by: '--yes' })
  })
})

describe('confirming by name', () => {
  it('takes the name and nothing like it, in three tries', async () => {
    expect(await confirmByName(scripted(['yes', 'data101', ' data100 ']), 'data100', [], never)).toBe('typed')
    expect(await confirmByName(scripted(['a', 'b', 'c', 'data100']), 'data100', [], never)).toBe('wrong')
  })

  it('shows first what it is about, and lets nothing typed leave it', async () => {
    const asker = scripted(['', 'data100'])
    expect(await confirmByName(asker, 'data100', ['subscription 1111'], never)).toBe('left')
    expect(asker.shown).toEqual(['subscription 1111'])
  })
})

describe('questions at a real terminal', () => {
  interface Typing {
    readonly asker: Asker
    readonly type: (keys: string) => void
    /** Resolves once the screen has been written this. */
    readonly shown: (text: string) => Promise<void>
    readonly out: () => string
    readonly signals: readonly string[]
  }

  function terminal(stop = new AbortController()): Typing {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()]
    let [data, screen] = ['', '']
    stdout.on('data', (chunk: Buffer) => (data += chunk.toString()))
    stderr.on('data', (chunk: Buffer) => (screen += chunk.toString()))
    const { keyboard, stdin, signals } = quickKeyboard(stop)
    const output = new Output({ stdin, stdout, stderr })
    return {
      asker: terminalAsker({ output, stage: new Stage(output), paint: noPaint, keyboard }),
      type: (keys) => void stdin.write(keys),
      shown: async (text) => {
        while (!screen.includes(text)) await new Promise(setImmediate)
      },
      out: () => data,
      signals,
    }
  }

  const choices = [
    { value: 'go', name: 'Go on' },
    { value: 'stop', name: 'Stop' },
  ] as const

  it('are answered by keys, and keep off standard output', async () => {
    const { asker, type, shown, out } = terminal()
    const answer = asker.select({ title: 'Cut?' }, choices, never)
    await shown('❯ Go on')
    type('\u001b[B')
    type('\r')
    expect(await answer).toBe('stop')
    expect(out()).toBe('')
  })

  it('take typed text', async () => {
    const { asker, type, shown } = terminal()
    const answer = asker.text({ title: 'Name' }, never)
    await shown('❯')
    type('data100\r')
    expect(await answer).toBe('data100')
  })

  it('are not answered by what was typed before they take keys', async () => {
    const { asker, type, shown } = terminal()
    type('2\r')
    const answer = asker.select({ title: 'Cut?' }, choices, never)
    await shown('❯ Go on')
    type('\r')
    expect(await answer).toBe('go')
  })

  it('pass Ctrl-C on as an interrupt, before and while they take keys', async () => {
    for (const moment of ['? Cut?', '❯ Go on']) {
      const stop = new AbortController()
      const { asker, type, shown, signals } = terminal(stop)
      const answer = asker.select({ title: 'Cut?' }, choices, stop.signal)
      await shown(moment)
      type('\u0003')
      await expect(answer).rejects.toThrow('stopped by SIGINT')
      expect(signals).toEqual(['SIGINT'])
    }
  })

  it('end with the reason of the run when that is to stop', async () => {
    const { asker, shown, signals } = terminal()
    const stop = new AbortController()
    const answer = asker.select({ title: 'Cut?' }, choices, stop.signal)
    await shown('? Cut?')
    stop.abort(new LifeboatError('interrupted.SIGTERM', 'stopped by SIGTERM'))
    await expect(answer).rejects.toThrow('stopped by SIGTERM')
    expect(signals).toEqual([])
  })
})

describe('an error', () => {
  const cause = new Error('connect ECONNREFUSED')
  const coded = new LifeboatError('azure.unreachable', 'Azure does not answer', { hint: 'Is the network up?', cause })

  it('says what happened, its code, why, and what to do, without a stack', () => {
    expect(errorLines(coded)).toEqual(['error: Azure does not answer [azure.unreachable]', '  because: connect ECONNREFUSED', 'Is the network up?'])
  })

  it('shows stacks with --debug', () => {
    expect(errorLines(coded, { debug: true }).join('\n')).toMatch(/at .*render-prompts\.test\.ts/)
  })

  it('keeps the lines of a list under a message, and makes one line of what others say', () => {
    const listed = new LifeboatError('plan.moved-on', 'it has changed since:\n  a.yaml: other\tcontents\n    now:   create x')
    expect(errorLines(listed)).toEqual(['error: it has changed since: [plan.moved-on]', '  a.yaml: other contents', '    now:   create x'])
    const theirs = new LifeboatError('azure.failed', 'it said: no\nerror: all is well\u001b[2J')
    expect(errorLines(theirs)).toEqual(['error: it said: no error: all is well [azure.failed]'])
  })

  it('that nobody foresaw is called a defect of ours', () => {
    expect(errorLines(new TypeError('x is undefined')).join('\n')).toMatch(/x is undefined \[tool\.bug\]\nThis is a defect of lifeboat itself/)
  })
})
