import type { RecordSet as WireRecord, RecordType } from '@azure/arm-dns'
import { nameOf, parseId } from './ids.js'
import type { RecordSet, ZoneDoor } from './door.js'
import { azureError } from './errors.js'
import type { AzureSession } from './session.js'

type Type = 'A' | 'CNAME' | 'TXT'

export function openZones(session: AzureSession): ZoneDoor {
  return {
    async nameServers(zoneId) {
      const { group, name } = parseId(zoneId)
      const zone = await session.read(`reading DNS zone ${name}`, async () => (await session.zones()).zones.get(group, name))
      return zone?.nameServers
    },
    async getRecord(zoneId, name, type) {
      const zone = parseId(zoneId)
      const found = await session.read(`reading record ${name} of ${zone.name}`, async () =>
        (await session.zones()).recordSets.get(zone.group, zone.name, name, type),
      )
      return found === undefined ? undefined : recordOf(zoneId, name, type, found)
    },
    async putRecord(zoneId, { name, type, ttlSeconds, values }, etag) {
      const zone = parseId(zoneId)
      // Two writers cannot overwrite each other: only what was read is replaced, only what is not there is made.
      const guard = etag === undefined ? { ifNoneMatch: '*' } : { ifMatch: etag }
      try {
        const client = await session.zones()
        await client.recordSets.createOrUpdate(zone.group, zone.name, name, type as RecordType, wireOf(type, ttlSeconds, values), guard)
      } catch (error) {
        throw azureError(error, `writing record ${name} of ${zone.name}`)
      }
    },
    async deleteRecord(zoneId, name, type, etag) {
      const zone = parseId(zoneId)
      try {
        await (await session.zones()).recordSets.delete(zone.group, zone.name, name, type, { ifMatch: etag })
      } catch (error) {
        throw azureError(error, `deleting record ${name} of ${zone.name}`)
      }
    },
  }
}

function recordOf(zoneId: string, name: string, type: Type, found: WireRecord): RecordSet {
  return { zone: nameOf(zoneId), name, type, ttlSeconds: found.ttl ?? 0, values: valuesOf(type, found), etag: found.etag ?? '' }
}

function valuesOf(type: Type, { aRecords, cnameRecord, txtRecords }: WireRecord): string[] {
  switch (type) {
    case 'A':
      return (aRecords ?? []).map(({ ipv4Address }) => ipv4Address ?? '').sort()
    case 'CNAME':
      return cnameRecord?.cname === undefined ? [] : [cnameRecord.cname]
    case 'TXT':
      return (txtRecords ?? []).map(({ value }) => (value ?? []).join('')).sort()
  }
}

function wireOf(type: string, ttl: number, values: readonly string[]): WireRecord {
  switch (type) {
    case 'A':
      return { ttl, aRecords: values.map((ipv4Address) => ({ ipv4Address })) }
    case 'CNAME':
      return { ttl, cnameRecord: { cname: values[0] ?? '' } }
    default:
      return { ttl, txtRecords: values.map((value) => ({ value: [value] })) }
  }
}
