import type { Resource } from '../world/model.js'
import { dataDisksOf, type World } from '../world/world.js'
import { bodyOf } from './bodies.js'
import { record } from './wire.js'

/** A machine on the wire; with `expand`, its instance view inside, as `$expand=instanceView` asks. */
export function machineBody(world: World, machine: Resource, expand = false): Record<string, unknown> {
  const body = bodyOf(machine)
  const { osProfile: _taken, ...properties } = record(body['properties'])
  const { customData: _secret, ...osProfile } = record(machine.properties['osProfile'])
  const profile = record(properties['storageProfile'])
  return {
    ...body,
    properties: {
      ...properties,
      osProfile,
      storageProfile: { ...profile, dataDisks: dataDisksOf(machine) },
      networkProfile: record(properties['networkProfile']),
      ...(expand ? { instanceView: instanceView(world, machine) } : {}),
    },
  }
}

const shown = {
  running: 'VM running',
  starting: 'VM starting',
  stopping: 'VM stopping',
  stopped: 'VM stopped',
  deallocating: 'VM deallocating',
  deallocated: 'VM deallocated',
} as const

export function instanceView(world: World, machine: Resource): Record<string, unknown> {
  const time = new Date(world.clock.nowMs()).toISOString()
  const state = String(machine.properties['provisioningState'])
  const power = world.host(machine.id)?.power
  return {
    computerName: machine.name,
    osName: 'ubuntu',
    vmAgent: {
      vmAgentVersion: '2.11.1.4',
      statuses: [
        world.answers(machine.id)
          ? { code: 'ProvisioningState/succeeded', level: 'Info', displayStatus: 'Ready', time }
          : { code: 'ProvisioningState/Unavailable', level: 'Warning', displayStatus: 'Not Ready', time },
      ],
    },
    disks: dataDisksOf(machine).map((disk) => ({
      name: disk.name,
      statuses: [{ code: 'ProvisioningState/succeeded', level: 'Info', displayStatus: 'Provisioning succeeded', time }],
    })),
    statuses: [
      { code: `ProvisioningState/${state.toLowerCase()}`, level: 'Info', displayStatus: `Provisioning ${state.toLowerCase()}`, time },
      ...(power === undefined ? [] : [{ code: `PowerState/${power}`, level: 'Info', displayStatus: shown[power] }]),
    ],
  }
}
