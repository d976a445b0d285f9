import { describe, expect, it } from 'vitest'
import { Pending, type Change } from '../../src/contract/index.js'
import { placesOf } from '../../src/engine/places.js'

const group = '/subscriptions/s/resourceGroups'
const vm = (inGroup: string, name: string): string => `${group}/${inGroup}/providers/Microsoft.Compute/virtualMachines/${name}`
const create = (resource: string): Change => ({ resource, action: 'create', after: {} })

describe('the places of a plan', () => {
  it('are what it makes and what its inputs name, by kind', () => {
    const places = placesOf([
      { inputs: { zone: `${group}/dns/providers/Microsoft.Network/dnszones/hub.example` }, changes: [create('record A hub.hub.example')] },
      { inputs: { name: 'new' }, changes: [create('resourceGroup new')] },
      { inputs: { resourceGroup: 'new', name: 'hubs-2', like: `${group}/hubs-1/providers/Microsoft.ContainerService/managedClusters/hubs-1` }, changes: [create('managedCluster hubs-2')] },
    ])
    expect(places).toEqual([
      { kind: 'group', name: 'dns', made: false },
      { kind: 'group', name: 'new', made: true },
      { kind: 'group', name: 'hubs-1', made: false },
      { kind: 'cluster', name: 'hubs-2', made: true },
      { kind: 'cluster', name: 'hubs-1', group: 'hubs-1', made: false },
      { kind: 'zone', name: 'hub.example', group: 'dns', made: false },
    ])
  })

  it('tell an old server from the new one of the same name', () => {
    const places = placesOf([
      { inputs: { machine: vm('old', 'nfsserver') }, changes: [] },
      { inputs: { name: 'nfsserver' }, changes: [create('virtualMachine nfsserver')] },
    ])
    expect(places.filter(({ kind }) => kind === 'machine')).toEqual([
      { kind: 'machine', name: 'nfsserver', group: 'old', made: false },
      { kind: 'machine', name: 'nfsserver', made: true },
    ])
  })

  it('are each told once, however they are spelled, and found deep inside', () => {
    const places = placesOf([
      { inputs: { disks: [{ on: vm('OLD', 'nfs') }] }, changes: [] },
      { inputs: { machine: vm('old', 'NFS'), resourceGroup: 'Old' }, changes: [] },
    ])
    expect(places.map(({ kind, name }) => `${kind} ${name}`)).toEqual(['group OLD', 'machine nfs'])
  })

  it('leave out what is not known yet', () => {
    expect(placesOf([{ inputs: { machine: new Pending(['nfs']), resourceGroup: new Pending(['group']) }, changes: [] }])).toEqual([])
  })
})
