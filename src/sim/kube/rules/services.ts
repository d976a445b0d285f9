import { kindOf } from '../kinds.js'
import { fields, items, text, type KubeObject } from '../object.js'
import { invalid } from '../status.js'
import type { Store } from '../store.js'

/** Gives a service its cluster address (10.0.0.0/16) and node ports (30000 to 32767). Throws 422 for an address that is taken. */
export function allocateAddresses(store: Store, service: KubeObject): void {
  const kind = kindOf('services')
  const spec = fields(service['spec'])
  if (spec['type'] === 'ExternalName') return
  const others = store.list(kind).filter((one) => one.metadata.uid !== service.metadata.uid).map((one) => fields(one['spec']))
  const taken = new Set(others.map((one) => text(one['clusterIP'])))
  const wanted = text(spec['clusterIP'])
  if (wanted !== '' && wanted !== 'None' && taken.has(wanted)) {
    const message = `Invalid value: "${wanted}": failed to allocate IP ${wanted}: provided IP is already allocated`
    throw invalid(kind, service.metadata.name, [{ field: 'spec.clusterIPs', message, reason: 'FieldValueInvalid' }])
  }
  if (wanted === '') spec['clusterIP'] = freeAddress(taken)
  spec['clusterIPs'] = [spec['clusterIP']]
  if (spec['type'] === 'ClusterIP') return
  const ports = new Set(others.flatMap((one) => items(one['ports']).map((port) => port['nodePort'])))
  let next = 30000
  for (const port of items(spec['ports'])) {
    if (port['nodePort'] !== undefined) continue
    while (ports.has(next)) next += 1
    port['nodePort'] = next
    ports.add(next)
  }
}

function freeAddress(taken: ReadonlySet<string>): string {
  // 10.0.0.1 is the API server's own, 10.0.0.10 DNS.
  for (let number = 20; ; number += 1) {
    const address = `10.0.${Math.floor(number / 250)}.${number % 250}`
    if (!taken.has(address)) return address
  }
}
