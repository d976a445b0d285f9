import type { Complaint, Known } from './complaint.js'
import type { Fault, When } from './faults.js'
import type { questionKinds } from './operator.js'

type Path = Complaint['path']

/** Moments that can never come: of a step that is not run but asked, and of faults that wait for each other. */
export function momentComplaints(faults: readonly Fault[], known: Known): readonly Complaint[] {
  return [...faults.flatMap(({ when }, index) => ofStep(when, ['faults', index, 'when'], known)), ...circles(faults)]
}

function ofStep({ step = '', is, at }: When, path: Path, { kinds }: Known): readonly Complaint[] {
  const kind = kinds.get(step)
  if (kind === undefined || kind === 'step' || is === 'asked') return []
  const key = is === undefined ? 'at' : 'is'
  const message = `${step} is a ${kind === 'manual' ? 'manual step' : kind}, which has no moment ${JSON.stringify(is ?? at)}`
  return [{ path: [...path, key], message, hint: 'it has only one, is: asked' }]
}

/** Each circle once, where its first fault stands in the file. */
function circles(faults: readonly Fault[]): readonly Complaint[] {
  const awaited = new Map(faults.map(({ id, when }) => [id, when.fault]))
  const seen = new Set<string>()
  return faults.flatMap(({ id }, index) => {
    const circle = [id]
    let next = awaited.get(id)
    while (next !== undefined && !circle.includes(next)) {
      circle.push(next)
      next = awaited.get(next)
    }
    // Of those that wait for a circle without being in it, the circle itself tells.
    if (next !== id || seen.has(id)) return []
    for (const one of circle) seen.add(one)
    const message = circle.length === 1 ? `fault ${id} waits for itself` : `faults ${circle.join(', ').replace(/, ([^,]+)$/, ' and $1')} wait for each other`
    return [{ path: ['faults', index, 'when', 'fault'], message, hint: 'one of them needs another moment' }]
  })
}

const asking: Readonly<Record<'step' | 'gate' | 'manual', readonly (typeof questionKinds)[number][]>> = {
  step: ['failure', 'surprise'],
  gate: ['gate'],
  manual: ['manual'],
}

interface Question {
  readonly step: string
  readonly asks: (typeof questionKinds)[number]
}

/** A question that such a step never asks. */
export function questionComplaints(asked: Question, path: Path, { kinds }: Known): readonly Complaint[] {
  const kind = kinds.get(asked.step)
  if (kind === undefined || asking[kind].includes(asked.asks)) return []
  const message = `${asked.step} is a ${kind === 'manual' ? 'manual step' : kind}, and never asks a question of the kind ${asked.asks}`
  return [{ path: [...path, 'asks'], message, hint: `it asks ${asking[kind].join(' or ')}` }]
}
