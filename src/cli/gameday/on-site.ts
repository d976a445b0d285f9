import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LifeboatError } from '../../contract/index.js'
import { isNamed, type Infliction } from '../../gameday/index.js'
import type { OthersRequest } from '../../sim/arm/faults.js'
import { setNameServer } from '../../sim/dns/lost.js'
import type { Host, Pool } from '../../sim/world/model.js'
import type { WorldParts } from '../../sim/within.js'
import type { World } from '../../sim/world/world.js'
import type { OfKind, TellStruck } from './infliction.js'

type OnSite = Exclude<Infliction, OfKind<'refuse' | 'reset' | 'loseReply' | 'slow' | 'failOperation' | 'prolong' | 'laptop' | 'clock' | 'program' | 'shell' | 'onlyPeopleSee' | 'colleague' | 'sshBreaks'>>

/**
 * Faults of what stands in the world: machines, clusters, pools, what Azure gives, what others do. `old` are the machines that were there
 * at the start. Throws `gameday.cannot`.
 */
export function onSite(does: OnSite, parts: WorldParts, old: ReadonlySet<string>, struck: TellStruck): void {
  const { world, faults, kube } = parts
  switch (does.kind) {
    case 'silence':
    case 'wake': {
      const host = hostCalled(world, does.with, old)
      host.answers = does.kind === 'wake'
      return struck(`${nameOf(host.machine)} ${host.answers ? 'answers again' : 'answers nobody'}`)
    }
    case 'powerOff':
    case 'powerOn': {
      const { machine } = hostCalled(world, does.with, old)
      const verb = does.kind === 'powerOn' ? 'start' : 'powerOff'
      return bySomebody(parts, { method: 'POST', path: `${machine}/${verb}` }, struck)
    }
    case 'somebody': {
      const at = does.with.does.indexOf(' ')
      const [method, path] = [does.with.does.slice(0, at), does.with.does.slice(at + 1)]
      const whole = path.startsWith('/resourceGroups/') ? `/subscriptions/${world.spec.subscription}${path}` : path
      return bySomebody(parts, { method, path: whole, body: does.with.body }, struck)
    }
    case 'login':
      faults.plantInLogin(does.with === 'revoked' ? { tokens: 'revoked' } : { login: does.with })
      return struck(`the login is ${does.with}`)
    case 'apiServer': {
      const cluster = kube.called(does.with.cluster) ?? cannot(`no API server of ${does.with.cluster} is at work`)
      if (does.with.is === 'away') cluster.goAway()
      else cluster.comeBack()
      return struck(`the API server of ${does.with.cluster} is ${does.with.is}`)
    }
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
      writeFileSync(siteFile(parts, does.with.env, does.with.file), does.with.text)
      return struck(`${does.with.file} says ${does.with.text.trim()}`)
    }
    default:
      return given(does, world, struck)
  }
}

/** Path of a file in a folder that the world has made for the site. */
export function siteFile({ cloudPath }: WorldParts, folder: string, name: string): string {
  const { env } = JSON.parse(readFileSync(cloudPath, 'utf8')) as { readonly env: Readonly<Record<string, string>> }
  return join(env[folder] ?? '', name)
}

/** What Azure gives, and to whom. */
function given(does: OfKind<'subscription' | 'quota' | 'noCapacity' | 'capacity' | 'lock' | 'unlock'>, world: World, struck: TellStruck): void {
  const { spec } = world
  switch (does.kind) {
    case 'subscription':
      world.subscriptionState = does.with === 'disabled' ? 'Disabled' : 'Enabled'
      return struck(`the subscription is ${does.with}`)
    case 'quota':
      spec.quota[does.with.of] = does.with.limit
      return struck(`${does.with.of}: ${does.with.limit}`)
    case 'noCapacity':
      spec.unavailableSizes.push({ size: does.with })
      return struck(`no ${does.with}`)
    case 'capacity':
      spec.unavailableSizes = spec.unavailableSizes.filter(({ size }) => size !== does.with)
      return struck(`${does.with} can be had`)
    case 'lock':
      world.put(lockOf(world, does.with.group, does.with.level))
      return struck(`${does.with.group} is ${does.with.level}`)
    case 'unlock':
      world.remove(lockOf(world, does.with, 'ReadOnly').id)
      return struck(`${does.with} is free`)
  }
}

function onPods({ with: { namespace, workload, are } }: OfKind<'pods'>, world: World, struck: TellStruck): void {
  const of = `${namespace}/${workload}`
  if (are === 'well') {
    world.podTroubles.delete(of)
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
  const told = new Set<string>()
  const met = (question: string): void => {
    if (!told.has(question)) struck(`${name} is ${is}: ${question}`)
    told.add(question)
  }
  if (!setNameServer(world, name, is, met)) cannot(`there is no name server ${name}`)
  if (is === 'back') struck(`${name} is back`)
}

function delayed(does: OfKind<'podsTake' | 'certificateTakes'>, world: World, struck: TellStruck): void {
  if (does.kind === 'podsTake') {
    const { namespace, time } = does.with
    world.spec.podsReady[namespace] = time
    // Those that have started already are not delayed any more.
    world.tamper.add(({ what, resource }) => {
      if (what === 'pods' && resource === namespace) struck(`pods of ${namespace}`)
      return undefined
    })
    return
  }
  for (const hub of world.spec.hubs) if (hub.host === does.with.hub) hub.certificateAfter = does.with.time
  struck(`the certificate of ${does.with.hub}`)
}

function onPool(does: OfKind<'fill' | 'degrade'>, world: World, struck: TellStruck): void {
  const name = does.kind === 'fill' ? does.with.pool : does.with
  const pool = world.pools.find((one) => one.name === name) ?? cannot(`there is no pool ${name}`)
  if (does.kind === 'degrade') {
    pool.health = 'DEGRADED'
    return struck(`${name} is DEGRADED`)
  }
  const filled: { -readonly [K in keyof Pool]: Pool[K] } = pool
  filled.allocatedBytes = Math.ceil((pool.sizeBytes * Number.parseInt(does.with.to, 10)) / 100)
  struck(`${name} is ${does.with.to} full`)
}

/** What Azure says to it is the other's business; that it cannot be done at all stands among what the world saw. */
function bySomebody({ manager }: WorldParts, wish: OthersRequest, struck: TellStruck): void {
  void manager.asSomebodyElse(wish)
  struck(`somebody: ${wish.method} ${wish.path.split('/').slice(-2).join('/')}`)
}

function hostCalled(world: World, name: string, old: ReadonlySet<string>): Host {
  const fitting = [...world.hosts].filter(([, { machine }]) => isNamed(machine, name))
  const [, host] = fitting.find(([key]) => old.has(key)) ?? fitting[0] ?? []
  return host ?? cannot(`there is no machine ${name} yet`)
}

function lockOf(world: World, group: string, level: string) {
  const id = `/subscriptions/${world.spec.subscription}/resourceGroups/${group}/providers/Microsoft.Authorization/locks/game-day`
  return { id, name: 'game-day', type: 'Microsoft.Authorization/locks', location: '', tags: {}, properties: { level } }
}

function nameOf(id: string): string {
  return id.split('/').at(-1) ?? id
}

function cannot(why: string): never {
  throw new LifeboatError('gameday.cannot', `a fault came too early, or is of something that there is not: ${why}`, { blame: 'user' })
}
