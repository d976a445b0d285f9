import { beforeEach, describe, expect, it } from 'vitest'
import { whyNotSaved, whyNotServed } from '../../src/sim/hubs/nfs.js'
import { virtualClock } from '../../src/sim/world/clock.js'
import type { Host, Pool } from '../../src/sim/world/model.js'
import type { World } from '../../src/sim/world/world.js'
import { makeData100, moveDisks, only, addSecond } from '../helpers/hosts.js'

const homes = '/pool0/homes/prod/home'
const nodes = ['10.240.16.4', '10.240.16.5']
let world: World
let old: Host
let pool: Pool

beforeEach(() => {
  world = makeData100(virtualClock)
  old = only(world.hosts.values())
  pool = only(world.pools)
})

const mounter = () => ({ networks: [old.network], nodes })
const served = (): string | undefined => whyNotServed(world, mounter(), old.address, homes)
const saved = (): string | undefined => whyNotSaved(world, mounter(), old.address, homes)
const exported = (...lines: readonly (readonly [clients: string, options?: string, path?: string])[]): void => {
  old.exports = lines.map(([clients, options = 'rw', path = '/pool0/homes']) => ({ path, clients, options }))
}

describe('for whom an export is (S24)', () => {
  it.each([['*'], ['10.240.16.0/20'], ['10.0.0.0/8'], ['10.240.16.0/255.255.240.0'], ['10.240.16.1/20']])('%s has the nodes in it', (clients) => {
    exported([clients])
    expect(served()).toBeUndefined()
  })

  it.each([['10.240.16.4'], ['10.240.0.0/28'], ['*.example.edu'], ['@nodes'], ['10.240.16.0/33']])('%s lets not all of them in', (clients) => {
    exported([clients])
    expect(served()).toContain('access denied by server')
  })

  it('has the nodes in it one by one, or by another line', () => {
    exported(['10.240.16.4'], ['10.240.16.5'])
    expect(served()).toBeUndefined()
    exported(['10.1.0.0/16'], ['*', 'rw', '/pool0'])
    expect(served()).toBeUndefined()
  })
})

describe('who can save (S24, H6)', () => {
  it.each([
    ['of one that says nothing', [['*', 'sync,no_subtree_check']]],
    ['of one for reading', [['*', 'ro']]],
    ['where the narrower line is for reading', [['*', 'rw'], ['10.240.16.0/20', 'ro']]],
    ['where the deeper line is for reading', [['10.240.16.0/20', 'rw'], ['*', 'ro', '/pool0/homes/prod']]],
    ['where one node has a line for reading', [['*', 'rw'], ['10.240.16.5', 'ro']]],
  ] as const)('nobody %s, who can mount it all the same', (_, lines) => {
    exported(...lines)
    expect([served(), saved()]).toEqual([undefined, expect.stringContaining('nobody can save')])
  })

  it('those whose line says so, whatever is said to others', () => {
    exported(['10.240.16.0/20', 'rw'], ['*', 'ro'], ['*', 'ro', '/pool0'])
    expect(saved()).toBeUndefined()
  })

  it.each([
    ['a pool that was imported for reading', () => void (pool.readOnly = true), 'imported for reading only'],
    ['a dataset that is readonly', () => void (pool.datasets.find(({ name }) => name === 'pool0/homes')!.properties['readonly'] = 'on'), 'is readonly'],
    ['a dataset below one that is readonly', () => void (pool.datasets[0]!.properties['readonly'] = 'on'), 'is readonly'],
  ])('nobody in %s', (_, change, said) => {
    change()
    expect([served(), saved()]).toEqual([undefined, expect.stringContaining(said)])
  })
})

describe('in which state a pool serves (S24)', () => {
  it('a mirror that has lost a disk does', () => {
    pool.health = 'DEGRADED'
    expect(saved()).toBeUndefined()
  })

  it('one that is suspended or faulted does not', () => {
    pool.health = 'FAULTED'
    expect(served()).toContain('FAULTED')
    pool.health = 'ONLINE'
    moveDisks(world, old, addSecond(world))
    expect(served()).toContain('SUSPENDED')
  })
})
