import { expect, it } from 'vitest'
import { Wire } from '../../src/cli/gameday/wire.js'

it('a connection by ssh that was over before it could break has met nothing: another one breaks, and only so many', () => {
  const wire = new Wire()
  const struck: string[] = []
  wire.breakSsh(1, (what) => struck.push(what))
  const [quick, slow] = [wire.onProgram('ssh'), wire.onProgram('ssh')]
  expect([quick?.kind, slow?.kind, wire.onProgram('helm'), struck]).toEqual(['cut-off', 'cut-off', undefined, []])
  expect([slow?.strikes?.(), struck]).toEqual([true, ['a connection by ssh']])
  expect([quick?.strikes?.(), wire.onProgram('ssh'), struck.length]).toEqual([false, undefined, 1])
})

it('a request meets the first fault that fits it and is left, and every request is counted', () => {
  const wire = new Wire()
  const fits = (method: string): boolean => method === 'PUT'
  wire.plant({ fits, times: 1, trouble: { kind: 'reset' }, struck: () => undefined })
  wire.plant({ fits, times: 1, trouble: { kind: 'reply-lost' }, struck: () => undefined })
  const met = ['GET', 'PUT', 'PUT', 'PUT'].map((method) => wire.onRequest(method, '/x')?.kind)
  expect([met, wire.calls.length]).toEqual([[undefined, 'reset', 'reply-lost', undefined], 4])
})
