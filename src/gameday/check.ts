import type { Complaint, Known } from './complaint.js'
import type { Fault } from './faults.js'
import { momentComplaints, questionComplaints } from './moments.js'
import type { Scenario } from './scenario.js'
import { wrongPattern } from './selector.js'

type Path = Complaint['path']

/** Names that lead nowhere, and what cannot be meant as it is written. */
export function complaintsAbout({ faults, operator, expect }: Scenario, known: Known): readonly Complaint[] {
  const ids = faults.map(({ id }) => id)
  return [
    ...faults.flatMap((fault, index) => faultComplaints(fault, ['faults', index], { ids, index, known })),
    ...momentComplaints(faults, known),
    ...operator.answers.flatMap((one, index) => ofQuestion(one, ['operator', 'answers', index], known)),
    ...operator.does.flatMap((act, index) => {
      const accept = act.kind === 'run' || act.kind === 'resume' || act.kind === 'elsewhere' ? act.with.accept : []
      return accept.flatMap((one) => unknown(one.split('=')[0] ?? '', known.steps, 'step', ['operator', 'does', index]))
    }),
    ...expect.asked.flatMap((one, index) => ofQuestion(one, ['expect', 'asked', index], known)),
    ...(['told', 'notTold', 'violations'] as const).flatMap((key) => expect[key].flatMap((text, index) => pattern(text, ['expect', key, index]))),
    ...expect.world.flatMap((one, index) => worldComplaints(one, ['expect', 'world', index, one.kind], known)),
  ]
}

function ofQuestion(asked: Parameters<typeof questionComplaints>[0], path: Path, known: Known): readonly Complaint[] {
  return [...unknown(asked.step, known.steps, 'step', [...path, 'step']), ...questionComplaints(asked, path, known)]
}

interface Among {
  readonly ids: readonly string[]
  readonly index: number
  readonly known: Known
}

function faultComplaints({ id, when, do: does }: Fault, path: Path, { ids, index, known }: Among): readonly Complaint[] {
  const others = [...new Set(ids)].filter((one) => one !== id)
  const twice = `the id ${JSON.stringify(id)} stands here twice`
  return [
    ...(ids.indexOf(id) < index ? [{ path: [...path, 'id'], message: twice, hint: 'each fault has its own' }] : []),
    ...(when.step === undefined ? [] : unknown(when.step, known.steps, 'step', [...path, 'when', 'step'])),
    ...(when.fault === undefined || when.fault === id ? [] : unknown(when.fault, others, 'fault', [...path, 'when', 'fault'], { what: 'other faults' })),
    ...(when.call === undefined ? [] : pattern(pathOf(when.call), [...path, 'when', 'call'])),
    ...inflictionComplaints(does, when.call !== undefined, [...path, 'do', does.kind], known),
  ]
}

/** `waits`: its moment is a call, which it can befall. */
function inflictionComplaints(does: Fault['do'], waits: boolean, path: Path, known: Known): readonly Complaint[] {
  switch (does.kind) {
    case 'refuse':
    case 'reset':
    case 'loseReply':
    case 'slow': {
      const { call } = does.with
      if (call !== undefined) return pattern(pathOf(call), [...path, 'call'])
      const message = `${does.kind} does not say which requests it befalls`
      return waits ? [] : [{ path, message, hint: 'add call, or let when wait for a call' }]
    }
    case 'silence':
    case 'wake':
    case 'powerOff':
    case 'powerOn':
      return inGroup(does.with, known.machines, known, 'machine', path)
    case 'lock':
      return named(does.with.group, known.groups, known, 'group', [...path, 'group'])
    case 'unlock':
      return named(does.with, known.groups, known, 'group', path)
    case 'apiServer':
      return named(does.with.cluster, known.clusters, known, 'cluster', [...path, 'cluster'])
    case 'pods':
    case 'podsTake':
      return unknown(does.with.namespace, known.namespaces, 'namespace', [...path, 'namespace'])
    case 'certificateTakes':
      return unknown(does.with.hub, known.hubs, 'hub', [...path, 'hub'])
    case 'nameServer':
      return unknown(does.with.name, known.nameServers, 'name server', [...path, 'name'])
    case 'fill':
      return unknown(does.with.pool, known.pools, 'pool', [...path, 'pool'])
    case 'degrade':
      return unknown(does.with, known.pools, 'pool', path)
    case 'quota':
      return unknown(does.with.of, known.stocks, 'quota', [...path, 'of'])
    case 'noCapacity':
    case 'capacity':
      return unknown(does.with, known.sizes, 'size', path)
    case 'somebody': {
      const group = /\/resourceGroups\/([^/]+)/i.exec(does.with.does)?.[1]
      return group === undefined ? [] : named(group, known.groups, known, 'group', [...path, 'does'])
    }
    case 'writes':
      return unknown(does.with.env, known.folders, 'folder', [...path, 'env'])
    default:
      return []
  }
}

function pathOf(call: string): string {
  return call.slice(call.indexOf(' ') + 1)
}

function worldComplaints({ kind, with: about }: Scenario['expect']['world'][number], path: Path, known: Known): readonly Complaint[] {
  switch (kind) {
    case 'pool':
      return [...unknown(about.name, known.pools, 'pool', [...path, 'name']), ...holder(about.on, [...path, 'on'], known)]
    case 'name':
      return [...unknown(about.host, known.hubs, 'hub', [...path, 'host']), ...leading(about.leads, [...path, 'leads'])]
    case 'hub':
      return unknown(about.host, known.hubs, 'hub', [...path, 'host'])
    case 'disk':
      return [...unknown(about.name, known.disks, 'disk', [...path, 'name']), ...named(about.in, known.groups, known, 'group', [...path, 'in'])]
    case 'machine':
      return inGroup(about.name, known.machines, known, 'machine', [...path, 'name'])
    case 'cluster':
      return inGroup(about.name, known.clusters, known, 'cluster', [...path, 'name'])
    case 'release':
      return named(about.name, known.releases, known, 'release', [...path, 'name'])
    case 'calls':
      return pattern(pathOf(about.call), [...path, 'call'])
    case 'file':
      return unknown(about.env, known.folders, 'folder', [...path, 'env'])
    case 'operation':
      return []
  }
}

/** Whom a pool can be expected with. */
function holder(on: string | undefined, path: Path, known: Known): readonly Complaint[] {
  const words = ['old', 'new', 'nobody']
  if (on === undefined || words.includes(on)) return []
  if (on.includes('/')) return inGroup(on, known.machines, known, 'machine', path)
  return named(on, [...words, ...known.machines], known, 'holder of a pool', path, 'it can be')
}

function leading(leads: string, path: Path): readonly Complaint[] {
  const words = ['unchanged', 'to-its-hub']
  if (words.includes(leads) || /^\d{1,3}(\.\d{1,3}){3}$/.test(leads)) return []
  return [{ path, message: `a name cannot lead ${JSON.stringify(leads)}`, near: { word: leads, among: [...words, 'an address'], what: 'it can lead' } }]
}

function unknown(word: string, among: readonly string[], what: string, path: Path, words: Partial<Complaint['near']> = {}): readonly Complaint[] {
  if (among.includes(word)) return []
  return [{ path, message: `there is no ${what} ${JSON.stringify(word)}`, near: { word, among, what: `${what}s`, ...words } }]
}

/** The same of `GROUP/NAME`, too. */
function inGroup(word: string, among: readonly string[], known: Known, what: string, path: Path): readonly Complaint[] {
  const at = word.lastIndexOf('/')
  const group = at < 0 ? [] : named(word.slice(0, at), known.groups, known, 'group', path)
  return [...group, ...named(word.slice(at + 1), among, known, what, path)]
}

/** What is there from the start, or is named in the runbook that makes it. */
function named(word: string, among: readonly string[], { runbook }: Known, what: string, path: Path, list = `${what}s`): readonly Complaint[] {
  const made = new Set(runbook.split(/[\s"'{}[\],:/]+/).filter((one) => one.length > 2))
  return made.has(word) ? [] : unknown(word, among, what, path, { what: list, besides: made })
}

function pattern(text: string, path: Path): readonly Complaint[] {
  const wrong = wrongPattern(text)
  return wrong === undefined ? [] : [{ path, message: `this is no regular expression: ${wrong}` }]
}
