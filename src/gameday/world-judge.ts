import { timesText } from './duration.js'
import { callsOf, type Evidence, type Judged } from './evidence.js'
import type { WorldExpectation } from './expectations.js'
import type { WorldView } from './oracle/world-view.js'

type With<K extends WorldExpectation['kind']> = Extract<WorldExpectation, { kind: K }>['with']

/** One expectation of the world at the end. */
export function worldFinding(expected: WorldExpectation, evidence: Evidence): Judged {
  const { start, end } = evidence
  switch (expected.kind) {
    case 'pool':
      return pool(expected.with, start, end)
    case 'name':
      return name(expected.with, start, end)
    case 'hub':
      return hub(expected.with, end)
    case 'disk':
      return disk(expected.with, end)
    case 'machine':
      return machine(expected.with, end)
    case 'release':
      return release(expected.with, end)
    case 'cluster':
      return compare(`cluster ${expected.with.name}`, expected.with.state, unique(end.clusters.filter(({ id }) => isNamed(id, expected.with.name)).map((one) => one.provisioningState)))
    case 'operation':
      return operation(expected.with, end)
    case 'file': {
      const key = `${expected.with.env}/${expected.with.name}`
      const says = evidence.files.get(key)?.trim()
      // One that is not there says nothing, whatever is expected of it.
      if (says === undefined) return { what: `file ${key}: ${expected.with.says.trim()}`, held: false, found: 'no such file' }
      return compare(`file ${key}`, expected.with.says.trim(), says)
    }
    case 'calls':
      return calls(expected.with, evidence)
  }
}

function compare(what: string, expected: string, found: string): Judged {
  return { what: `${what}: ${expected}`, held: expected === found, ...(expected === found ? {} : { found }) }
}

function unique(values: readonly string[]): string {
  return [...new Set(values)].join(' and ') || 'absent'
}

/** `GROUP/NAME` of an id, and `NAME` alone: does one of them fit? */
export function isNamed(id: string, name: string): boolean {
  const [, group = '', own = ''] = /\/resourceGroups\/([^/]+)\/providers\/.*\/([^/]+)$/i.exec(id) ?? []
  return [own, `${group}/${own}`].some((one) => one.toLowerCase() === name.toLowerCase())
}

function pool({ name: of, on, health }: With<'pool'>, start: WorldView, end: WorldView): Judged {
  const now = end.pools.find((one) => one.name === of)
  const before = start.pools.find((one) => one.name === of)?.importedOn ?? []
  const holders = now?.importedOn ?? []
  const where = (): string => {
    if (holders.length === 0) return 'nobody'
    if (holders.length > 1) return holders.join(' and ')
    const [holder = ''] = holders
    if (on !== undefined && isNamed(holder, on)) return on
    return before.includes(holder) ? 'old' : 'new'
  }
  const expected = [...(on === undefined ? [] : [on]), ...(health === undefined ? [] : [health])].join(', ')
  const found = now === undefined ? 'absent' : [...(on === undefined ? [] : [where()]), ...(health === undefined ? [] : [now.health])].join(', ')
  return compare(`pool ${of}`, expected, found)
}

function publishedFor(host: string, { recordSets }: WorldView): readonly string[] {
  return recordSets.find(({ name: label, zone, type }) => type === 'A' && `${label}.${zone}`.toLowerCase() === host.toLowerCase())?.published?.values ?? []
}

function hubsWhereLed(host: string, view: WorldView): readonly WorldView['hubs'][number][] {
  const addresses = publishedFor(host, view)
  return view.hubs.filter((one) => one.host === host && addresses.includes(one.address))
}

/** Hubs that answer where their names lead, by a certificate that no browser takes for theirs. */
export function uncertifiedIn(view: WorldView): readonly string[] {
  const hosts = [...new Set(view.hubs.map(({ host }) => host))]
  return hosts.filter((host) => hubsWhereLed(host, view).some(({ answers, certificate }) => answers && certificate !== `CN=${host}`))
}

function name({ host, leads }: With<'name'>, start: WorldView, end: WorldView): Judged {
  const [before, now] = [publishedFor(host, start), publishedFor(host, end)].map((one) => [...one].sort().join(' '))
  const found = now === '' ? 'nowhere' : `to ${now}`
  if (leads === 'unchanged') return { what: `${host} leads where it led`, held: before === now, ...(before === now ? {} : { found }) }
  if (leads !== 'to-its-hub') return compare(`${host} leads to`, leads, now ?? '')
  const held = hubsWhereLed(host, end).some(({ answers }) => answers)
  return { what: `${host} leads to its hub`, held, ...(held ? {} : { found: `${found}, where it does not answer` }) }
}

function hub({ host, answers }: With<'hub'>, end: WorldView): Judged {
  const found = hubsWhereLed(host, end).some((one) => one.answers)
  return { what: `hub ${host} ${answers ? 'answers' : 'does not answer'}`, held: found === answers, ...(found === answers ? {} : { found: found ? 'it answers' : 'it does not' }) }
}

function disk({ name: of, in: group }: With<'disk'>, end: WorldView): Judged {
  const groups = end.disks.filter(({ id }) => isNamed(id, of)).map(({ id }) => /\/resourceGroups\/([^/]+)/i.exec(id)?.[1] ?? '')
  const held = groups.length > 0 && groups.every((one) => one.toLowerCase() === group.toLowerCase())
  return { what: `disk ${of} in ${group}`, held, ...(held ? {} : { found: unique(groups) }) }
}

function machine({ name: of, power }: With<'machine'>, end: WorldView): Judged {
  return compare(`machine ${of}`, power, unique(end.vms.filter(({ id }) => isNamed(id, of)).map((one) => one.powerState)))
}

function release({ name: of, status: wanted, revision: nth }: With<'release'>, end: WorldView): Judged {
  const words = (status: string, revision: number): string => (nth === undefined ? status : `${status}, revision ${revision}`)
  const found = end.releases.filter((one) => one.name === of).map(({ status, revision }) => words(status, revision))
  return compare(`release ${of}`, words(wanted, nth ?? 0), unique(found))
}

function operation({ name: of, times, on, status }: With<'operation'>, { operations }: WorldView): Judged {
  const fits = operations.filter((one) => one.what === of && one.status === status && (on === undefined || `${one.resource} ${(one.also ?? []).join(' ')}`.toLowerCase().includes(on.toLowerCase())))
  return compare(`operation ${of}${on === undefined ? '' : ` on ${on}`} ${status}, times`, String(times), String(fits.length))
}

function calls({ call, times, atMost }: With<'calls'>, evidence: Evidence): Judged {
  const count = callsOf(evidence, call)
  const held = (times === undefined || count === times) && (atMost === undefined || count <= atMost)
  const wanted = [...(times === undefined ? [] : [timesText(times)]), ...(atMost === undefined ? [] : [`at most ${timesText(atMost)}`])].join(', ')
  return { what: `calls ${call}: ${wanted}`, held, ...(held ? {} : { found: timesText(count) }) }
}
