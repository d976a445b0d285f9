import { ask, askAll } from './ask.js'
import type { CapacityDoor, MachineSize, Usage } from './readiness-door.js'
import type { AzureSession } from './session.js'

interface WireSku {
  readonly name?: string
  readonly resourceType?: string
  readonly family?: string
  readonly locationInfo?: readonly { readonly zones?: readonly string[] }[]
  readonly capabilities?: readonly { readonly name?: string; readonly value?: string }[]
  readonly restrictions?: readonly {
    readonly type?: string
    readonly reasonCode?: string
    readonly restrictionInfo?: { readonly zones?: readonly string[] }
  }[]
}

interface WireUsage {
  readonly name?: { readonly value?: string }
  readonly currentValue?: number
  readonly limit?: number
}

interface WireVersion {
  readonly version?: string
  readonly patchVersions?: Readonly<Record<string, unknown>>
}

export function openCapacity(session: AzureSession): CapacityDoor {
  const provider = (name: string): string => `/subscriptions/${session.subscription}/providers/Microsoft.${name}`
  const plain = (location: string): string => location.toLowerCase().replaceAll(' ', '')

  return {
    async size(location, name) {
      const found = await askAll<WireSku>(session, {
        doing: `reading which sizes ${location} has`,
        path: `${provider('Compute')}/skus`,
        apiVersion: '2021-07-01',
        // Without it, the list is of all places and types: tens of megabytes.
        query: { $filter: `location eq '${plain(location)}'` },
      })
      const sku = found.find((one) => one.resourceType === 'virtualMachines' && one.name?.toLowerCase() === name.toLowerCase())
      return sku === undefined ? undefined : sizeOf(sku)
    },
    async usage(location, stock) {
      const path = `${provider('Compute')}/locations/${plain(location)}/usages`
      return usageOf(await askAll<WireUsage>(session, { doing: `reading how many vCPUs are in use in ${location}`, path, apiVersion: '2024-07-01' }), stock)
    },
    async publicAddresses(location) {
      const path = `${provider('Network')}/locations/${plain(location)}/usages`
      const found = await askAll<WireUsage>(session, { doing: `reading how many public addresses there are in ${location}`, path, apiVersion: '2025-05-01' })
      return usageOf(found, 'StandardSkuPublicIpAddresses')
    },
    async kubernetesVersions(location) {
      const found = await ask<{ readonly values?: readonly WireVersion[] }>(session, {
        doing: `reading which Kubernetes versions ${location} offers`,
        path: `${provider('ContainerService')}/locations/${plain(location)}/kubernetesVersions`,
        apiVersion: '2025-05-01',
      })
      const minors = found?.values ?? []
      const numbers = minors.flatMap(({ version, patchVersions = {} }) => [version, ...Object.keys(patchVersions)])
      return numbers.filter((one) => one !== undefined)
    },
  }
}

function usageOf(found: readonly WireUsage[], stock: string): Usage | undefined {
  const usage = found.find(({ name }) => name?.value?.toLowerCase() === stock.toLowerCase())
  return usage === undefined ? undefined : { used: usage.currentValue ?? 0, limit: usage.limit ?? 0 }
}

function sizeOf({ name = '', family = '', locationInfo = [], capabilities = [], restrictions = [] }: WireSku): MachineSize {
  const can = (capability: string): string | undefined => capabilities.find((one) => one.name === capability)?.value
  const barred = restrictions.filter(({ type }) => type === 'Zone').flatMap(({ restrictionInfo }) => restrictionInfo?.zones ?? [])
  const everywhere = restrictions.find(({ type }) => type === 'Location')
  return {
    name,
    family,
    vCpus: Number(can('vCPUs') ?? 0),
    maxDataDisks: Number(can('MaxDataDiskCount') ?? 0),
    premium: can('PremiumIO') === 'True',
    zones: locationInfo.flatMap(({ zones = [] }) => zones).filter((zone) => !barred.includes(zone)).sort(),
    ...(everywhere === undefined ? {} : { restricted: everywhere.reasonCode ?? 'for no reason that Azure tells' }),
  }
}
