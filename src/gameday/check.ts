import { awaitedCall, azureCall, othersCall, pattern } from './calls.js'
import type { Complaint, Known } from './complaint.js'
import type { Fault } from './faults.js'
import { momentComplaints, questionComplaints } from './moments.js'
import type { Scenario } from './scenario.js'

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
    ...(operator.present || operator.answers.length === 0 ? [] : [ofNobody]),
    ...expect.asked.flatMap((one, index) => ofQuestion(one, ['expect', 'asked', index], known)),
    ...(['told', 'notTold', 'violations'] as const).flatMap((key) => expect[key].flatMap((text, index) => pattern(text, ['expect', key, index]))),
    ...expect.world.flatMap((one, index) => worldComplaints(one, ['expect', 'world', index, one.kind], known)),
  ]
}

const ofNobody: Complaint = { path: ['operator', 'answers'], message: 'nobody is at the terminal to answer', hint: 'leave out present: false, or the answers' }

function ofQuestion(asked: Parameters<typeof questionComplaints>[0], path: Path, known: Known): readonly Complaint[] {
  return [...unknown(asked.step, known.steps, 'step', [...path, 'step']), ...questionComplaints(asked, path, known)]
}

interface Among {
  readonly ids: readonly string[]
  readonly index: number
  readonly known: Known
}

function faultComplaints(fault: Fault, path: Path, { ids, index, known }: Among): readonly Complaint[] {
  const { id, when, do: does } = fault
  const others = [...new Set(ids)].filter((one) => one !== id)
  const twice = `the id ${JSON.stringify(id)} stands here twice`
  return [
    ...(ids.indexOf(id) < index ? [{ path: [...path, 'id'], message: twice, hint: 'each fault has its own' }] : []),
    ...(when.step === undefined ? [] : unknown(when.step, known.steps, 'step', [...path, 'when', 'step'])),
    ...(when.fault === undefined || when.fault === id ? [] : unknown(when.fault, others, 'fault', [...path, 'when', 'fault'], { what: 'other faults' })),
    ...awaitedCall(fault, [...path, 'when', 'call']),
    ...inflictionComplaints(does, when.call !== undefined, [...path, 'do', does.kind], known),
  ]
}

/** What a machine or a cluster does by itself is no operation that anybody waits for: its time is known when it begins. */
function goesOnBy(operation: string, path: Path): readonly Complaint[] {
  if (operation !== 'pods' && operation !== 'first boot') return []
  const hint = operation === 'pods' ? 'take podsTake, or pods' : 'its time stands in the world: change: { durations: { first boot: 20m } }'
  return [{ path, message: `${operation} goes on by itself, and can be waited for only`, hint }]
}

/** `waits`: its moment is a call, which it can befall. */
function inflictionComplaints(does: Fault['do'], waits: boolean, path: Path, known: Known): readonly Complaint[] {
  switch (does.kind) {
    case 'refuse':
    case 'reset':
    case 'loseReply':
    case 'slow': {
      const { call } = does.with
      if (call !== undefined) return azureCall(call, [...path, 'call'])
      const message = `${does.kind} does not say which requests it befalls`
      return waits ? [] : [{ path, message, hint: 'add call, or let when wait for a call' }]
    }
    case 'failOperation':
    case 'prolong':
      return [...goesOnBy(does.with.operation, [...path, 'operation']), ...onSomething(does.with.on, [...path, 'on'], known)]
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
      const inside = group === undefined ? [] : named(group, known.groups, known, 'group', [...path, 'does'])
      return [...othersCall(does.with.does, [...path, 'does']), ...inside]
    }
    case 'writes':
      return unknown(does.with.env, known.folders, 'folder', [...path, 'env'])
    default:
      return []
  }
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
      return azureCall(about.call, [...path, 'call'])
    case 'file':
      return unknown(about.env, known.folders, 'folder', [...path, 'env'])
    case 'operation':
      return onSomething(about.on, [...path, 'on'], known)
  }
}

/** Whom a pool can be expected with. */
function holder(on: string | undefined, path: Path, known: Known): readonly Complaint[] {
  const words = ['old', 'new', 'nobody']
  if (on === undefined || words.includes(on)) return []
  if (on.includes('/')) return inGroup(on, known.machines, known, 'machine', path)
  const among = [...words, ...bare(known.machines)]
  const [what, list] = ['holder of a pool', 'it can be']
  return isClosed('machine', known) ? unknown(on, among, what, path, { what: list }) : named(on, among, known, what, path, list)
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
  if (group.length > 0 || !isClosed(what, known)) return [...group, ...named(word.slice(at + 1), bare(among), known, what, path)]
  return unknown(word, at < 0 ? bare(among) : among.filter((one) => one.includes('/')), what, path)
}

/** A name of such a kind that nobody gives leads nowhere, whatever else is called so. */
function isClosed(what: string, { closed }: Known): boolean {
  return [...closed].some((kind) => kind === what)
}

function bare(names: readonly string[]): readonly string[] {
  return names.filter((one) => !one.includes('/'))
}

/** What is there from the start, or what the runbook names that makes it. */
function named(word: string, among: readonly string[], known: Known, what: string, path: Path, list = `${what}s`): readonly Complaint[] {
  if (isClosed(what, known)) return unknown(word, bare(among), what, path, { what: list })
  return known.named.has(word) ? [] : unknown(word, among, what, path, { what: list, besides: known.named })
}

/**
 * Operations on a part of an id: its last name is a part of one that there can be, or begins with that of a machine or a disk, as those of
 * their interfaces and snapshots do.
 */
function onSomething(on: string | undefined, path: Path, known: Known): readonly Complaint[] {
  const word = on?.toLowerCase().split('/').findLast((part) => part !== '')
  if (on === undefined || word === undefined) return []
  const { machines, disks, clusters, groups, namespaces, named: made } = known
  const among = [...bare(machines), ...disks, ...bare(clusters), ...groups, ...namespaces]
  const lesser = [...bare(machines), ...disks].flatMap((one) => [`${one}-`, `${one}_`])
  const isPartOfOne = [...among, ...made].some((one) => one.toLowerCase().includes(word))
  if (isPartOfOne || lesser.some((one) => word.startsWith(one.toLowerCase()))) return []
  return [{ path, message: `on: there is nothing named ${JSON.stringify(on)}`, near: { word: on, among, what: 'names', besides: made } }]
}
