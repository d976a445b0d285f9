import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LifeboatError } from '../../contract/index.js'
import { isNamed, type Infliction } from '../../gameday/index.js'
import type { OthersRequest } from '../../sim/arm/faults.js'
import { setNameServer } from '../../sim/dns/lost.js'
import type { Host, Pool } from '../../sim/world/model.js'
import type { WorldParts } from '../../sim/within.js'
import { limitOf } from '../../sim/arm/capacity.js'
import { shortened } from '../../sim/world/ids.js'
import type { World } from '../../sim/world/world.js'
import type { Met } from '../../sim/world/hindrances.js'
import type { Meeting, OfKind, TellStruck } from './infliction.js'

type OnSite = Exclude<Infliction, OfKind<'refuse' | 'reset' | 'loseReply' | 'slow' | 'failOperation' | 'prolong' | 'laptop' | 'clock' | 'program' | 'shell' | 'onlyPeopleSee' | 'colleague' | 'sshBreaks'>>

/** What Azure answers to a deletion of what there is not. */
const nothingThere = 204

/**
 * Faults of what stands in the world: machines, clusters, pools, what Azure gives, what others do. `old` are the machines that were there
 * at the start. Throws `gameday.cannot`.
 */
export function onSite(does: OnSite, parts: WorldParts, old: ReadonlySet<string>, meeting: Meeting): void {
  const { world } = parts
  const { struck } = meeting
  switch (does.kind) {
    case 'silence':
    case 'wake':
    case 'powerOff':
    case 'powerOn':
      return onMachine(does, parts, hostCalled(world, does.with, old), meeting)
    case 'somebody': {
      const at = does.with.does.indexOf(' ')
      const [method, path] = [does.with.does.slice(0, at), does.with.does.slice(at + 1)]
      const whole = path.startsWith('/resourceGroups/') ? `/subscriptions/${world.spec.subscription}${path}` : path
      const took = (what: string): void => {
        // A POST asks for something to be done; the oracle knows what is written by its path.
        if (method !== 'POST') meeting.elsewhere(whole)
        struck(what)
      }
      return bySomebody(parts, { method, path: whole, body: does.with.body }, { ...meeting, struck: took })
    }
    case 'login':
      return onLogin(does.with, parts, struck)
    case 'apiServer':
      return onApiServer(does.with, parts, struck)
    case 'pods':
      return onPods(does, world, struck)
    case 'nameServer':
      return onNameServer(does, world, struck)
    case 'podsTake':
    case 'certificateTakes':
      return delayed(does, world, struck)
    case 'fill':
    case 'degrade':
      return onPool(does, world, struck)
    case 'writes': {
      const path = siteFile(parts, does.with.env, does.with.file)
      if (existsSync(path) && readFileSync(path, 'utf8') === does.with.text) changesNothing(`${does.with.file} says that already`)
      writeFileSync(path, does.with.text)
      return struck(`${does.with.file} says ${does.with.text.trim()}`)
    }
    default:
      return given(does, world, meeting)
  }
}

/** Path of a file in a folder that the world has made for the site. */
export function siteFile({ cloudPath }: WorldParts, folder: string, name: string): string {
  const { env } = JSON.parse(readFileSync(cloudPath, 'utf8')) as { readonly env: Readonly<Record<string, string>> }
  return join(env[folder] ?? '', name)
}

/** What Azure gives, and to whom. */
function given(does: OfKind<'subscription' | 'quota' | 'noCapacity' | 'capacity' | 'lock' | 'unlock'>, world: World, meeting: Meeting): void {
  const { spec, hindrances } = world
  const { struck, orSaid } = meeting
  switch (does.kind) {
    case 'subscription': {
      const state = does.with === 'disabled' ? 'Disabled' : 'Enabled'
      if (world.subscriptionState === state) changesNothing(`the subscription is ${does.with} already`)
      world.subscriptionState = state
      if (state === 'Enabled') return struck('the subscription is enabled')
      return hindrances.watch('subscription', spec.subscription, eachOnce(struck, 'the subscription is disabled'))
    }
    case 'quota':
      return ofQuota(does.with, world, meeting)
    case 'noCapacity':
      if (spec.unavailableSizes.some(({ size, zones }) => size.toLowerCase() === does.with.toLowerCase() && zones === undefined)) {
        changesNothing(`${does.with} could not be had already`)
      }
      spec.unavailableSizes.push({ size: does.with })
      orSaid(new RegExp(`this subscription cannot have ${escaped(does.with)} `, 'i'))
      return hindrances.watch('size', does.with, eachOnce(struck, `no ${does.with}`))
    case 'capacity': {
      const left = spec.unavailableSizes.filter(({ size }) => size.toLowerCase() !== does.with.toLowerCase())
      if (left.length === spec.unavailableSizes.length) changesNothing(`${does.with} could be had already`)
      spec.unavailableSizes = left
      return struck(`${does.with} can be had`)
    }
    case 'lock': {
      const lock = lockOf(world, groupCalled(world, does.with.group), does.with.level)
      world.put(lock)
      orSaid(new RegExp(escaped(lock.id), 'i'))
      return hindrances.watch('lock', lock.id, eachOnce(struck, `${does.with.group} is ${does.with.level}`))
    }
    case 'unlock': {
      const { id } = lockOf(world, does.with, 'ReadOnly')
      if (world.resource(id) === undefined) changesNothing(`no game day has locked ${does.with}`)
      world.remove(id)
      return struck(`${does.with} is free`)
    }
  }
}

/** More of it is met as such; less of it by whoever wants more than is left. */
function ofQuota({ of, limit }: OfKind<'quota'>['with'], world: World, { struck, orSaid }: Meeting): void {
  const before = limitOf(world, of)
  if (before === limit) changesNothing(`${of} is ${limit} already`)
  const { quota } = world.spec
  const stated = Object.keys(quota).find((one) => one.toLowerCase() === of.toLowerCase())
  quota[stated ?? of] = limit
  if (limit > before) return struck(`${of}: ${limit}`)
  orSaid(of.toLowerCase() === 'cores' ? /vCPUs in [^:]+: \d+ wanted/ : new RegExp(`vCPUs of ${escaped(of)} in [^:]+: \\d+ wanted`, 'i'))
  world.hindrances.watch('quota', of, eachOnce(struck, `${of}: ${limit}`))
}

function onMachine({ kind }: OfKind<'silence' | 'wake' | 'powerOff' | 'powerOn'>, parts: WorldParts, host: Host, meeting: Meeting): void {
  const { struck } = meeting
  const { machine, answers, power } = host
  const name = nameOf(machine)
  switch (kind) {
    case 'silence':
      if (!answers) changesNothing(`${name} answers nobody already`)
      // Before it is silent: a command that is at work there meets it at once.
      parts.world.hindrances.watch('silence', machine, eachOnce(struck, `${name} answers nobody`))
      host.answers = false
      return
    case 'wake':
      if (answers) changesNothing(`${name} answers already`)
      host.answers = true
      return struck(`${name} answers again`)
    case 'powerOff':
    case 'powerOn': {
      const isRunning = power === 'running'
      if (isRunning === (kind === 'powerOn')) changesNothing(`${name} is ${power} already`)
      return bySomebody(parts, { method: 'POST', path: `${machine}/${isRunning ? 'powerOff' : 'start'}` }, meeting)
    }
  }
}

function onLogin(is: OfKind<'login'>['with'], { world, faults }: WorldParts, struck: TellStruck): void {
  if (is === 'restored') {
    if (!faults.secretRefused) changesNothing('nobody had taken the login back')
    struck('the login is restored')
  } else world.hindrances.watch('login', is, eachOnce(struck, `the login is ${is}`))
  faults.plantInLogin(is === 'revoked' ? { tokens: 'revoked' } : { login: is })
}

function onApiServer({ cluster: name, is }: OfKind<'apiServer'>['with'], { world, kube }: WorldParts, struck: TellStruck): void {
  const { id, kube: cluster } = kube.called(name) ?? cannot(`no API server of ${name} is at work`)
  if (cluster.isAway === (is === 'away')) changesNothing(`the API server of ${name} is ${is === 'away' ? 'away' : 'there'} already`)
  if (is === 'back') {
    cluster.comeBack()
    return struck(`the API server of ${name} is back`)
  }
  world.hindrances.watch('api server', id, eachOnce(struck, `the API server of ${name} is away`))
  cluster.goAway()
}

function onPods({ with: { namespace, workload, are } }: OfKind<'pods'>, world: World, struck: TellStruck): void {
  const of = `${namespace}/${workload}`
  if (are === 'well') {
    if (!world.podTroubles.delete(of)) changesNothing(`the pods of ${of} are well already`)
    return struck(`the pods of ${of} are well`)
  }
  let isMet = false
  const met = (): void => {
    if (!isMet) struck(`a pod of ${of} is ${are}`)
    isMet = true
  }
  world.podTroubles.set(of, { is: are, met })
}

/** It is asked the same again and again: each question is told once. */
function onNameServer({ with: { name, is } }: OfKind<'nameServer'>, world: World, struck: TellStruck): void {
  if (is === 'back' && !world.lostNameServers.has(name.toLowerCase())) changesNothing(`${name} is as it should be`)
  const met = eachOnce(struck, `${name} is ${is}`)
  if (!setNameServer(world, name, is, met)) cannot(`there is no name server ${name}`)
  if (is === 'back') struck(`${name} is back`)
}

function delayed(does: OfKind<'podsTake' | 'certificateTakes'>, world: World, struck: TellStruck): void {
  if (does.kind === 'podsTake') {
    const { namespace, time } = does.with
    if ((world.spec.podsReady[namespace] ?? 0) >= time) changesNothing(`the pods of ${namespace} take that long already`)
    world.spec.podsReady[namespace] = time
    // Those that have started already are not delayed any more.
    world.tamper.add(({ what, resource }) => {
      if (what === 'pods' && resource === namespace) struck(`pods of ${namespace}`)
      return undefined
    })
    return
  }
  const { hub: host, time } = does.with
  for (const hub of world.spec.hubs) if (hub.host === host) hub.certificateAfter = time
  world.hindrances.watch('certificate', host, eachOnce(struck, `${host} has no certificate of its own yet`))
}

function onPool(does: OfKind<'fill' | 'degrade'>, world: World, struck: TellStruck): void {
  const name = does.kind === 'fill' ? does.with.pool : does.with
  const pool = world.pools.find((one) => one.name === name) ?? cannot(`there is no pool ${name}`)
  if (does.kind === 'degrade') {
    if (pool.health === 'DEGRADED') changesNothing(`${name} is DEGRADED already`)
    pool.health = 'DEGRADED'
    return struck(`${name} is DEGRADED`)
  }
  const filled: { -readonly [K in keyof Pool]: Pool[K] } = pool
  const bytes = Math.ceil((pool.sizeBytes * Number.parseInt(does.with.to, 10)) / 100)
  if (bytes === pool.allocatedBytes) changesNothing(`${name} is ${does.with.to} full already`)
  filled.allocatedBytes = bytes
  struck(`${name} is ${does.with.to} full`)
}

/** What Azure has not done, or had nothing to do for, has met nothing. That it cannot be done at all stands among what the world saw. */
function bySomebody({ manager }: WorldParts, wish: OthersRequest, { struck, broke }: Pick<Meeting, 'struck' | 'broke'>): void {
  const asked = manager.asSomebodyElse(wish).then((status) => {
    if (status < 400 && status !== nothingThere) struck(`somebody: ${shortened(wish.method, wish.path)}`)
  })
  asked.catch(broke)
}

function hostCalled(world: World, name: string, old: ReadonlySet<string>): Host {
  const fitting = [...world.hosts].filter(([, { machine }]) => isNamed(machine, name))
  const [, host] = fitting.find(([key]) => old.has(key)) ?? fitting[0] ?? []
  return host ?? cannot(`there is no machine ${name} yet`)
}

function groupCalled(world: World, name: string): string {
  return world.group(name)?.name ?? cannot(`there is no group ${name} yet`)
}

function lockOf(world: World, group: string, level: string) {
  const id = `/subscriptions/${world.spec.subscription}/resourceGroups/${group}/providers/Microsoft.Authorization/locks/game-day`
  return { id, name: 'game-day', type: 'Microsoft.Authorization/locks', location: '', tags: {}, properties: { level } }
}

function nameOf(id: string): string {
  return id.split('/').at(-1) ?? id
}

/** Questions of one kind come again and again: each is told once. */
function eachOnce(struck: TellStruck, what: string): Met {
  const told = new Set<string>()
  return (whom) => {
    if (!told.has(whom)) struck(`${what}: ${whom}`)
    told.add(whom)
  }
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

/** Such a fault has met nothing, and the game day fails. */
function changesNothing(why: string): never {
  throw new LifeboatError('gameday.nothing-changed', `it changed nothing: ${why}`, { blame: 'user' })
}

function cannot(why: string): never {
  throw new LifeboatError('gameday.cannot', `a fault came too early, or is of something that there is not: ${why}`, { blame: 'user' })
}
