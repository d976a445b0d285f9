import type { RecordSet as WireRecord, RecordType } from '@azure/arm-dns'
import { nameOf } from './ids.js'
import type { RecordSet, ZoneDoor } from './door.js'
import type { AzureSession } from './session.js'

type Type = 'A' | 'CNAME' | 'TXT'

/** A zone keeps its name servers as long as it lives, and who waits for a name asks every few seconds. */
const knownForMs = 60_000

export function openZones(session: AzureSession, tags: Readonly<Record<string, string>>): ZoneDoor {
  const known = new Map<string, { readonly untilMs: number; readonly servers: readonly string[] }>()
  return {
    async nameServers(zoneId) {
      const { group, name } = session.parse(zoneId)
      const nowMs = session.clock.now().getTime()
      const before = known.get(zoneId)
      if (before !== undefined && nowMs < before.untilMs) return before.servers
      const zone = await session.read(`reading DNS zone ${name}`, async () => (await session.zones()).zones.get(group, name))
      if (zone?.nameServers !== undefined) known.set(zoneId, { untilMs: nowMs + knownForMs, servers: zone.nameServers })
      return zone?.nameServers
    },
    async getRecord(zoneId, name, type) {
      const zone = session.parse(zoneId)
      const found = await session.read(`reading record ${name} of ${zone.name}`, async () =>
        (await session.zones()).recordSets.get(zone.group, zone.name, name, type),
      )
      return found === undefined ? undefined : recordOf(zoneId, name, type, found)
    },
    async putRecord(zoneId, record, etag) {
      const { name, type } = record
      const zone = session.parse(zoneId)
      // Two writers cannot overwrite each other: only what was read is replaced, only what is not there is made.
      const guard = etag === undefined ? { ifNoneMatch: '*' } : { ifMatch: etag }
      await session.write(`writing record ${name} of ${zone.name}`, async () => {
        const { recordSets } = await session.zones()
        await recordSets.createOrUpdate(zone.group, zone.name, name, type as RecordType, wireOf(record, tags), guard)
      })
    },
    async setTtl(zoneId, name, type, ttl, etag) {
      const zone = session.parse(zoneId)
      // A PATCH keeps what it does not name: values, metadata.
      await session.write(`setting the TTL of record ${name} of ${zone.name}`, async () =>
        (await session.zones()).recordSets.update(zone.group, zone.name, name, type, { ttl }, { ifMatch: etag }),
      )
    },
    async deleteRecord(zoneId, name, type, etag) {
      const zone = session.parse(zoneId)
      await session.write(`deleting record ${name} of ${zone.name}`, async () =>
        (await session.zones()).recordSets.delete(zone.group, zone.name, name, type, { ifMatch: etag }),
      )
    },
  }
}

function recordOf(zoneId: string, name: string, type: Type, found: WireRecord): RecordSet {
  const { ttl, etag, metadata, targetResource } = found
  return {
    zone: nameOf(zoneId),
    name,
    type,
    ttlSeconds: ttl ?? 0,
    values: valuesOf(type, found),
    etag: etag ?? '',
    ...(metadata === undefined ? {} : { metadata }),
    ...(targetResource?.id === undefined ? {} : { target: targetResource.id }),
  }
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

/** Record sets have no tags; metadata takes their place. */
function wireOf(record: Parameters<ZoneDoor['putRecord']>[1], tags: Readonly<Record<string, string>>): WireRecord {
  const { type, values, ttlSeconds: ttl } = record
  const metadata = { ...(record.metadata ?? tags) }
  switch (type) {
    case 'A':
      return { ttl, metadata, aRecords: values.map((ipv4Address) => ({ ipv4Address })) }
    case 'CNAME':
      return { ttl, metadata, cnameRecord: { cname: values[0] ?? '' } }
    default:
      return { ttl, metadata, txtRecords: values.map((value) => ({ value: chunks(value) })) }
  }
}

/** One string of a TXT record holds 255 bytes at most (RFC 1035 3.3.14). */
function chunks(value: string): string[] {
  return value.match(/.{1,255}/gsu) ?? ['']
}
